#include <tektii/util/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <exec/init_report.hpp>
#include <exec/linux/run_errors.hpp>
#include <exec/run_plan.hpp>
#include <string>

namespace tektii::exec {
namespace {

TEST(RunPlan, SurvivesTheWayToTheInit) {
  RunPlan plan;
  plan.rootfs = {{"/lower:1", "/lower,\\\xFF"}, "/upper", "/work"};
  plan.spec.argv = {"sh", "-c", "echo '\n\"\\'\xC3"};
  plan.spec.env = {"A=\xFE", "B="};
  plan.spec.working_dir = "/w d";
  plan.spec.uid = 4294967294U;
  plan.spec.gid = 7;
  plan.spec.supplementary_groups = {1, 2};
  plan.spec.host_name = "host";
  plan.spec.network = NetworkMode::none;
  plan.parent = 4711;
  const RunPlan copy = parse_plan(serialize_plan(plan), "");
  EXPECT_EQ(copy.rootfs.lower_dirs, plan.rootfs.lower_dirs);
  EXPECT_EQ(copy.rootfs.upper_dir, plan.rootfs.upper_dir);
  EXPECT_EQ(copy.rootfs.work_dir, plan.rootfs.work_dir);
  EXPECT_EQ(copy.spec.argv, plan.spec.argv);
  EXPECT_EQ(copy.spec.env, plan.spec.env);
  EXPECT_EQ(copy.spec.working_dir, plan.spec.working_dir);
  EXPECT_EQ(copy.spec.uid, plan.spec.uid);
  EXPECT_EQ(copy.spec.gid, plan.spec.gid);
  EXPECT_EQ(copy.spec.supplementary_groups, plan.spec.supplementary_groups);
  EXPECT_EQ(copy.spec.host_name, plan.spec.host_name);
  EXPECT_EQ(copy.spec.network, plan.spec.network);
  EXPECT_EQ(copy.parent, plan.parent);
}

TEST(RunPlan, CarriesMountsAndLimits) {
  RunPlan plan;
  plan.spec.security = SecurityMode::insecure;
  plan.spec.mounts = {{"/a\xFF", OverlaySource{{"/l1", "/l2"}, "/u", "/w", "/p"}, true},
                      {"/b", HostSource{"/h"}, false},
                      {"/c", TmpfsSource{}, false},
                      {"/d", TmpfsSource{4096}, true}};
  plan.spec.ulimits = {{"nofile", 10, k_unlimited}};
  plan.spec.shm_size = 77;
  plan.spec.extra_hosts = {{"name", "::1"}};
  const RunSpec copy = parse_plan(serialize_plan(plan), "").spec;
  EXPECT_EQ(copy.security, SecurityMode::insecure);
  ASSERT_EQ(copy.mounts.size(), 4U);
  EXPECT_EQ(copy.mounts[0].target, "/a\xFF");
  EXPECT_TRUE(copy.mounts[0].read_only);
  const auto& overlay = std::get<OverlaySource>(copy.mounts[0].source);
  EXPECT_EQ(overlay.lower_dirs, (std::vector<std::filesystem::path>{"/l1", "/l2"}));
  EXPECT_EQ(overlay.upper_dir, "/u");
  EXPECT_EQ(overlay.work_dir, "/w");
  EXPECT_EQ(overlay.path, "/p");
  EXPECT_EQ(std::get<HostSource>(copy.mounts[1].source).path, "/h");
  EXPECT_EQ(std::get<TmpfsSource>(copy.mounts[2].source).size, std::nullopt);
  EXPECT_EQ(std::get<TmpfsSource>(copy.mounts[3].source).size, 4096U);
  ASSERT_EQ(copy.ulimits.size(), 1U);
  EXPECT_EQ(copy.ulimits[0].name, "nofile");
  EXPECT_EQ(copy.ulimits[0].soft, 10U);
  EXPECT_EQ(copy.ulimits[0].hard, k_unlimited);
  EXPECT_EQ(copy.shm_size, 77U);
  EXPECT_EQ(copy.extra_hosts, plan.spec.extra_hosts);
}

TEST(RunPlan, SecretsTravelBesideIt) {
  RunPlan plan;
  plan.spec.mounts = {{"/s", SecretSource{Secret("hidden"), 0440, 7, 8}, false}};
  plan.spec.secret_env = {{"TOKEN", Secret("value")}};
  const std::string text = serialize_plan(plan);
  std::string secrets;
  for_each_secret(plan, [&](std::string_view value) { secrets += value; });
  EXPECT_EQ(secrets, "hiddenvalue");
  for (const char* trace : {"hidden", "value", "aGlkZGVu", "dmFsdWU"}) EXPECT_EQ(text.find(trace), std::string::npos);
  const RunSpec copy = parse_plan(text, secrets).spec;
  const auto& source = std::get<SecretSource>(copy.mounts.at(0).source);
  EXPECT_EQ(source.content.reveal(), "hidden");
  EXPECT_EQ(source.mode, 0440U);
  EXPECT_EQ(source.uid, 7U);
  EXPECT_EQ(source.gid, 8U);
  EXPECT_EQ(copy.secret_env.at(0).name, "TOKEN");
  EXPECT_EQ(copy.secret_env.at(0).value.reveal(), "value");
  EXPECT_THROW(parse_plan(text, "hid"), Error);
}

TEST(RunPlan, RefusesAnythingElse) {
  for (const char* text : {"", "{}", "[]", "{\"lower_dirs\":1}"}) EXPECT_THROW(parse_plan(text, ""), Error) << text;
}

TEST(InitReport, SurvivesTheWayToTheParent) {
  InitReport report;
  report.kind = InitReport::Kind::failed;
  report.step = Step::mount_sys;
  report.error_number = EPERM;
  report.path = std::string(1000, 'p');
  const std::string bytes = serialize_report(report);
  EXPECT_EQ(bytes.size(), k_report_size);
  const InitReport copy = parse_report(bytes);
  EXPECT_EQ(copy.kind, report.kind);
  EXPECT_EQ(copy.step, report.step);
  EXPECT_EQ(copy.error_number, EPERM);
  EXPECT_EQ(copy.path, std::string(512, 'p'));
}

TEST(InitReport, RefusesUnknownMessages) {
  EXPECT_THROW(parse_report(""), Error);
  EXPECT_THROW(parse_report(std::string(k_report_size - 1, '\1')), Error);
  EXPECT_THROW(parse_report(std::string(k_report_size, '\0')), Error);
  EXPECT_THROW(parse_report(std::string(k_report_size, '\xFF')), Error);
}

TEST(RunErrors, NameStepPathAndReason) {
  InitReport report;
  report.step = Step::mount_proc;
  report.error_number = EPERM;
  report.path = "/x/proc";
  const Error error = to_error(report, {});
  EXPECT_EQ(error.message(), "can't mount /proc: /x/proc: Operation not permitted");
  EXPECT_THAT(error.hints(), testing::Contains(testing::HasSubstr("systempaths=unconfined")));
  report.step = Step::change_directory;
  report.error_number = ENOENT;
  report.path = "/app";
  EXPECT_EQ(to_error(report, {}).message(), "the working directory /app does not exist in the image");
}

}  // namespace
}  // namespace tektii::exec
