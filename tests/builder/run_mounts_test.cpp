#include "builder/build_fixture.hpp"
#include <tektii/dockerfile/mount.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <atomic>
#include <builder/run_mount.hpp>
#include <builder/ssh_forward.hpp>
#include <cstdlib>
#include <thread>

namespace tektii::builder {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

RunMount typed(const std::string& csv, const std::string& working_dir = "/app", int ssh_number = 0) {
  return to_run_mount(dockerfile::expand_mount(dockerfile::parse_mount(csv), [](auto) { return std::nullopt; }),
                      working_dir, ssh_number);
}

TEST(RunMount, DefaultsOfEachType) {
  const auto bind = typed("target=src");
  EXPECT_EQ(bind.target, "/app/src");
  EXPECT_EQ(bind.source, "");
  EXPECT_TRUE(bind.read_only);
  EXPECT_FALSE(bind.from);
  const auto cache = typed("type=cache,target=/root/.cache/../.npm/");
  EXPECT_EQ(cache.target, "/root/.npm");
  EXPECT_EQ(cache.id, "/root/.npm");
  EXPECT_FALSE(cache.read_only);
  EXPECT_EQ(cache.sharing, RunMount::Sharing::shared);
  EXPECT_FALSE(typed("type=tmpfs,target=/t").read_only);
  const auto secret = typed("type=secret,id=dir/token");
  EXPECT_EQ(secret.target, "/run/secrets/token");
  EXPECT_EQ(secret.id, "dir/token");
  const auto ssh = typed("type=ssh", "/", 2);
  EXPECT_EQ(ssh.id, "default");
  EXPECT_EQ(ssh.target, "/run/buildkit/ssh_agent.2");
}

TEST(RunMount, OptionsOfEachType) {
  EXPECT_FALSE(typed("target=/x,rw").read_only);
  EXPECT_FALSE(typed("target=/x,readonly=false").read_only);
  EXPECT_EQ(typed("target=/x,source=../../a//b/").source, "a/b");
  EXPECT_EQ(typed("ro").target, "/app");
  EXPECT_EQ(typed("type=cache,target=x,from=s,src=/y,sharing=Private,mode=0700,uid=1,gid=2").sharing,
            RunMount::Sharing::exclusive_copy);
  EXPECT_EQ(typed("type=cache,target=x").id, "x");
  EXPECT_EQ(typed("type=tmpfs,target=/t,size=1m").size, 1U << 20);
  EXPECT_EQ(typed("type=secret,target=/etc/key").id, "key");
  EXPECT_EQ(typed("type=secret,target=rel/key").target, "/rel/key");
  EXPECT_EQ(typed("type=secret,source=key,env=").env, "key");
  EXPECT_EQ(typed("type=secret,id=key,env=TOKEN").target, "");
  EXPECT_EQ(typed("type=secret,id=key,env=TOKEN,target=/k").target, "/k");
  EXPECT_TRUE(typed("type=ssh,required").required);
}

TEST(RunMount, WhatOnlyTheWholeTells) {
  EXPECT_THROW(typed("target=", "/"), Error);
  for (const char* type : {"bind", "cache", "tmpfs", "secret", "ssh"}) {
    for (const char* target : {"/", "/a/..", ".", ".."}) {
      EXPECT_THROW(typed(fmt::format("type={},target={}", type, target), "/"), Error) << type << " " << target;
    }
  }
  EXPECT_THROW(typed("type=ssh,source=x"), Error);
  EXPECT_THROW(typed("type=cache,target=/x,source=/y"), Error);
}

class RunMountsTest : public RunTest {
 protected:
  const exec::RunSpec& spec(std::size_t index = 0) const { return executor_.specs.at(index); }
  std::size_t runs() const { return executor_.specs.size(); }
};

TEST_F(RunMountsTest, BindOfTheContextIsWhatCopyWouldCopy) {
  write("src/main.c", "code", 0600);
  write("src/run.sh", "script", 0700);
  write("src/skip.log", "noise");
  request_.ignore_text = "**/*.log\n";
  executor_.command = [](const auto&, const exec::RunSpec& spec, auto&) {
    const auto& overlay = std::get<exec::OverlaySource>(spec.mounts.at(0).source);
    const auto& directory = overlay.lower_dirs.at(0);
    EXPECT_EQ(overlay.path, "/");
    EXPECT_THAT(read_file(directory / "main.c"), ::testing::EndsWith("code"));
    EXPECT_FALSE(std::filesystem::exists(directory / "skip.log"));
    struct stat info {};
    EXPECT_EQ(::stat((directory / "main.c").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0644U);
    EXPECT_EQ(::stat((directory / "run.sh").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0755U);
    EXPECT_EQ(::stat(overlay.upper_dir.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0755U);
    EXPECT_EQ(info.st_mtim.tv_sec, 1700000000);
    return exec::ExitStatus{};
  };
  const std::string dockerfile = "FROM scratch\nWORKDIR /w\nRUN --mount=target=in,source=src make\n";
  build(dockerfile);
  EXPECT_EQ(spec().mounts.at(0).target, "/w/in");
  EXPECT_TRUE(spec().mounts.at(0).read_only);
  write("src/skip.log", "other noise");
  write("unrelated", "x");
  build(dockerfile);
  EXPECT_EQ(runs(), 1U);
  write("src/main.c", "more code");
  build(dockerfile);
  EXPECT_EQ(runs(), 2U);
}

TEST_F(RunMountsTest, BindOfOneFile) {
  write("a/requirements.txt", "numpy");
  executor_.command = [](const auto&, const exec::RunSpec& spec, auto&) {
    const auto& overlay = std::get<exec::OverlaySource>(spec.mounts.at(0).source);
    EXPECT_EQ(overlay.path, "/requirements.txt");
    EXPECT_EQ(read_file(overlay.lower_dirs.at(0) / "requirements.txt"), "numpy");
    return exec::ExitStatus{};
  };
  build("FROM scratch\nARG F=requirements.txt\nRUN --mount=source=a/$F,target=/r.txt x\n");
  EXPECT_EQ(runs(), 1U);
}

TEST_F(RunMountsTest, BindFromAStageDependsOnItsLayers) {
  executor_.command = [](const exec::Rootfs& rootfs, const exec::RunSpec& spec, auto&) {
    write_file_atomic(rootfs.upper_dir / "made", spec.argv.back());
    return exec::ExitStatus{};
  };
  const auto text = [](const std::string& first) {
    return "FROM scratch AS one\nRUN " + first + "\nFROM scratch\nRUN --mount=from=one,target=/in,rw two\n";
  };
  build(text("a"));
  ASSERT_EQ(runs(), 2U);
  const auto& mount = spec(1).mounts.at(0);
  EXPECT_FALSE(mount.read_only);
  EXPECT_EQ(std::get<exec::OverlaySource>(mount.source).lower_dirs.size(), 1U);
  build(text("a"));
  EXPECT_EQ(runs(), 2U);
  build(text("b"));
  EXPECT_EQ(runs(), 4U);
}

TEST_F(RunMountsTest, PartOfAStageDoesNotDependOnItsOtherLayers) {
  executor_.command = [](const exec::Rootfs& rootfs, const exec::RunSpec& spec, auto&) {
    write_file_atomic(rootfs.upper_dir / spec.argv.back(), spec.argv.back());
    return exec::ExitStatus{};
  };
  const auto text = [](const std::string& other) {
    return "FROM scratch AS one\nRUN part\nRUN " + other +
           "\nFROM scratch\nRUN --mount=from=one,source=/part,target=/in two\n";
  };
  build(text("a"));
  ASSERT_EQ(runs(), 3U);
  build(text("b"));
  EXPECT_EQ(runs(), 4U);
  const auto error = build_error(
      "FROM scratch AS one\nRUN part\nFROM scratch\n"
      "RUN --mount=from=one,source=/none,target=/in two\n");
  EXPECT_THAT(error.what(), HasSubstr("/none not found in one"));
  EXPECT_EQ(error.span()->first_line, 4);
}

TEST_F(RunMountsTest, FilesOfTheContextAreWrittenOncePerBuild) {
  write("src/file", "x");
  build("FROM scratch\nRUN --mount=target=/a,source=src one\nRUN --mount=target=/b,source=src,rw two\n");
  const auto& first = std::get<exec::OverlaySource>(spec(0).mounts.at(0).source);
  const auto& second = std::get<exec::OverlaySource>(spec(1).mounts.at(0).source);
  EXPECT_EQ(first.lower_dirs, second.lower_dirs);
  EXPECT_NE(first.upper_dir, second.upper_dir);
  EXPECT_FALSE(std::filesystem::exists(first.lower_dirs.at(0)));
}

TEST_F(RunMountsTest, CacheKeepsItsDirectoryAndIsNoPartOfTheImage) {
  executor_.command = [](const auto&, const exec::RunSpec& spec, auto&) {
    const auto& directory = std::get<exec::HostSource>(spec.mounts.at(0).source).path;
    const bool there = std::filesystem::exists(directory / "kept");
    write_file_atomic(directory / "kept", "x");
    return exec::ExitStatus{there ? 7 : 0, 0};
  };
  const auto result = build("FROM scratch\nRUN --mount=type=cache,target=/c a\n");
  EXPECT_TRUE(result.image.layers.empty());
  request_.no_cache = true;
  EXPECT_THAT(build_error("FROM scratch\nRUN --mount=type=cache,target=/c a\n").what(), HasSubstr("exit code 7"));
  EXPECT_THAT(build_error("FROM scratch\nRUN --mount=type=cache,id=/c,target=/d b\n").what(), HasSubstr("code 7"));
  build("FROM scratch\nRUN --mount=type=cache,id=other,target=/c a\n");
  build("FROM scratch\nRUN --mount=type=cache,target=/c,uid=5 a\n");  // as BuildKit: one that begins otherwise
  request_.build_args["BUILDKIT_CACHE_MOUNT_NS"] = "team";
  build("FROM scratch\nRUN --mount=type=cache,target=/c a\n");
}

TEST_F(RunMountsTest, CacheHasItsOwnerAndFirstContent) {
  executor_.command = [](const exec::Rootfs& rootfs, const exec::RunSpec& spec, auto&) {
    if (spec.mounts.empty()) {
      std::filesystem::create_directory(rootfs.upper_dir / "seed");
      write_file_atomic(rootfs.upper_dir / "seed/file", "first");
      return exec::ExitStatus{};
    }
    struct stat info {};
    EXPECT_EQ(::stat(std::get<exec::HostSource>(spec.mounts.at(0).source).path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 01770U);
    EXPECT_EQ(info.st_uid, 12U);
    EXPECT_EQ(info.st_gid, 34U);
    EXPECT_EQ(read_file(std::get<exec::HostSource>(spec.mounts.at(1).source).path / "file"), "first");
    return exec::ExitStatus{};
  };
  build(
      "FROM scratch AS s\nRUN seed\nFROM scratch\n"
      "RUN --mount=type=cache,id=a,target=/a,uid=12,gid=34,mode=1770 "
      "--mount=type=cache,id=b,target=/b,from=s,source=/seed x\n");
  EXPECT_EQ(runs(), 2U);
}

TEST_F(RunMountsTest, SameCacheTwiceInOneCommandIsOneDirectory) {
  build(
      "FROM scratch\nRUN --mount=type=cache,id=a,target=/a,sharing=locked "
      "--mount=type=cache,id=a,target=/b,sharing=locked,ro x\n");
  const auto& mounts = spec().mounts;
  EXPECT_EQ(std::get<exec::HostSource>(mounts.at(0).source).path, std::get<exec::HostSource>(mounts.at(1).source).path);
  EXPECT_TRUE(mounts.at(1).read_only);
}

// Starts a second build from inside of the command of the first one.
class CacheSharingTest : public RunMountsTest {
 protected:
  // The directories that two commands saw which overlapped; the second started while the first had its cache.
  std::pair<std::string, std::string> overlapping(const std::string& sharing, bool waits) {
    std::string first;
    std::string second;
    std::atomic<bool> first_done = false;  // the lock of a file orders the two, which no tool can see
    std::thread other;
    executor_.command = [&](const auto&, const exec::RunSpec& spec, auto&) {
      const auto path = std::get<exec::HostSource>(spec.mounts.at(0).source).path.string();
      if (spec.argv.back() == "two") {
        EXPECT_EQ(first_done, waits);
        second = path;
        return exec::ExitStatus{};
      }
      first = path;
      other = std::thread([&, request = request_]() mutable {
        request.dockerfile_text = "FROM scratch\nRUN --mount=type=cache,target=/c,sharing=" + sharing + " two\n";
        build_image(request, deps(), {});
      });
      if (waits) {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
      } else {
        other.join();
      }
      first_done = true;
      return exec::ExitStatus{};
    };
    build("FROM scratch\nRUN --mount=type=cache,target=/c,sharing=" + sharing + " one\n");
    if (other.joinable()) other.join();
    return {first, second};
  }
};

TEST_F(CacheSharingTest, SharedUsersHaveOneDirectory) {
  const auto [first, second] = overlapping("shared", false);
  EXPECT_EQ(first, second);
}

TEST_F(CacheSharingTest, PrivateUsersHaveOneEach) {
  const auto [first, second] = overlapping("private", false);
  EXPECT_NE(first, second);
}

TEST_F(CacheSharingTest, LockedUsersWait) {
  const auto [first, second] = overlapping("locked", true);
  EXPECT_EQ(first, second);
}

TEST_F(CacheSharingTest, StrictestOfTwoMountsOfACacheCounts) {
  const auto [first, second] = overlapping("shared --mount=type=cache,id=/c,target=/d,sharing=locked", true);
  EXPECT_EQ(first, second);
  const auto [third, fourth] = overlapping("shared --mount=type=cache,id=/c,target=/d,sharing=private", false);
  EXPECT_NE(third, fourth);
}

TEST_F(RunMountsTest, SecretsAreKnownByNameAlone) {
  request_.secrets["token"] = {directory_.path() / "token", std::nullopt};
  write_file_atomic(directory_.path() / "token", "hidden-1");
  ::setenv("TEKTII_TEST_SECRET", "hidden-2", 1);
  request_.secrets["var"] = {std::nullopt, "TEKTII_TEST_SECRET"};
  const std::string dockerfile =
      "FROM scratch\nRUN --mount=type=secret,id=token,mode=0440,uid=3,required --mount=type=secret,id=var,env=V "
      "--mount=type=secret,id=none --mount=type=secret,id=none,env=N x\n";
  const auto result = build(dockerfile);
  ASSERT_EQ(spec().mounts.size(), 1U);
  const auto& secret = std::get<exec::SecretSource>(spec().mounts[0].source);
  EXPECT_EQ(spec().mounts[0].target, "/run/secrets/token");
  EXPECT_EQ(secret.content.reveal(), "hidden-1");
  EXPECT_EQ(secret.mode, 0440U);
  EXPECT_EQ(secret.uid, 3U);
  EXPECT_EQ(secret.gid, 0U);
  ASSERT_EQ(spec().secret_env.size(), 2U);
  EXPECT_EQ(spec().secret_env[0].name, "V");
  EXPECT_EQ(spec().secret_env[0].value.reveal(), "hidden-2");
  EXPECT_EQ(spec().secret_env[1].value.reveal(), "");
  EXPECT_THAT(spec().env, Not(Contains(HasSubstr("hidden"))));
  EXPECT_THAT(*result.config.history.back().created_by, Not(HasSubstr("hidden")));
  write_file_atomic(directory_.path() / "token", "hidden-3");
  build(dockerfile);
  EXPECT_EQ(runs(), 1U);
}

TEST_F(RunMountsTest, SecretThatCannotBeReadNamesItsId) {
  request_.secrets["token"] = {directory_.path() / "token", std::nullopt};
  write_file_atomic(directory_.path() / "token", std::string(600 << 10, 'S'));
  const auto error = build_error("FROM scratch\nRUN --mount=type=secret,id=token x\n");
  EXPECT_THAT(error.what(), HasSubstr("secret token"));
  EXPECT_THAT(error.what(), Not(HasSubstr("SSS")));
}

TEST_F(RunMountsTest, AgentIsServedAtASocketOfItsOwn) {
  const auto path = directory_.path() / "agent";
  const int server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(server, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(server, 5), 0);
  request_.ssh_agents["default"] = path;
  executor_.command = [](const auto&, const exec::RunSpec& spec, auto&) {
    const auto& mount = spec.mounts.at(0);
    EXPECT_EQ(mount.target, "/run/buildkit/ssh_agent.0");
    struct stat info {};
    EXPECT_EQ(::stat(std::get<exec::HostSource>(mount.source).path.c_str(), &info), 0);
    EXPECT_TRUE(S_ISSOCK(info.st_mode));
    EXPECT_EQ(info.st_mode & 07777U, 0666U);
    EXPECT_EQ(info.st_uid, 77U);
    return exec::ExitStatus{};
  };
  build("FROM scratch\nRUN --mount=type=ssh,uid=77,mode=0666 x\n");
  EXPECT_THAT(spec().env, Contains("SSH_AUTH_SOCK=/run/buildkit/ssh_agent.0"));
  executor_.command = {};
  build("FROM scratch\nENV SSH_AUTH_SOCK=/own\nRUN --mount=type=ssh,id=none x\n");
  EXPECT_THAT(spec(1).env, Contains("SSH_AUTH_SOCK=/own"));
  EXPECT_TRUE(spec(1).mounts.empty());
  ::close(server);
  const auto error = build_error("FROM scratch\nRUN --mount=type=ssh again\n");
  EXPECT_THAT(error.what(), HasSubstr("can't reach the ssh agent at"));
}

TEST_F(RunMountsTest, ScriptIsAFileThatTheShellCalls) {
  executor_.command = [](const auto&, const exec::RunSpec& spec, auto&) {
    const auto& mount = spec.mounts.at(0);
    const auto file = std::get<exec::HostSource>(mount.source).path / "EOF";
    EXPECT_EQ(mount.target, "/dev/pipes");
    EXPECT_EQ(read_file(file), "#!/bin/tool\nbody\n");
    struct stat info {};
    EXPECT_EQ(::stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0755U);
    return exec::ExitStatus{};
  };
  const auto result = build("FROM scratch\nSHELL [\"/sh\", \"-ec\"]\nRUN <<EOF\n#!/bin/tool\nbody\nEOF\n");
  EXPECT_EQ(spec().argv, (std::vector<std::string>{"/sh", "-ec", "/dev/pipes/EOF"}));
  EXPECT_EQ(*result.config.history.back().created_by, "RUN /sh -ec /dev/pipes/EOF # buildkit");
  executor_.command = {};
  build("FROM scratch\nSHELL [\"/sh\", \"-ec\"]\nRUN <<EOF\n#!/bin/tool\nother body\nEOF\n");
  EXPECT_EQ(runs(), 2U);
}

TEST_F(RunMountsTest, SurroundingsReachTheCommandAndItsKey) {
  request_.default_network = "none";
  request_.shm_size = 4096;
  request_.ulimits = {{"nofile", 10, 20}};
  request_.extra_hosts = {{"db", "10.0.0.1"}};
  request_.entitlements = {"security.insecure", "network.host"};
  build("FROM scratch\nRUN a\nRUN --network=default b\nRUN --network=host --security=insecure c\n");
  EXPECT_EQ(spec(0).network, exec::NetworkMode::none);
  EXPECT_EQ(spec(1).network, exec::NetworkMode::none);
  EXPECT_EQ(spec(2).network, exec::NetworkMode::host);
  EXPECT_EQ(spec(2).security, exec::SecurityMode::insecure);
  EXPECT_EQ(spec(0).shm_size, 4096U);
  EXPECT_EQ(spec(0).ulimits.at(0).hard, 20U);
  EXPECT_EQ(spec(0).extra_hosts, request_.extra_hosts);
  request_.extra_hosts.clear();
  build("FROM scratch\nRUN a\n");
  EXPECT_EQ(runs(), 4U);
}

TEST_F(RunMountsTest, ProxiesComeInBothCasesAndWin) {
  request_.build_args = {{"HTTP_PROXY", "http://p"}};
  build("FROM scratch\nENV http_proxy=http://image\nRUN x\n");
  EXPECT_THAT(spec().env, ::testing::IsSupersetOf({"HTTP_PROXY=http://p", "http_proxy=http://p"}));
  EXPECT_THAT(spec().env, Not(Contains("http_proxy=http://image")));
}

TEST_F(BuildTest, EveryProblemOfEveryMountIsFoundBeforeAnyRequest) {
  request_.target = "0";
  const auto problem = build_error(
      "FROM python:3.11\n"
      "RUN --mount=source=gone,target=/a \\\n"
      "    --mount=from=later,target=/b \\\n"
      "    --mount=type=secret,id=token,required \\\n"
      "    --mount=type=ssh,id=git,required=true \\\n"
      "    --mount=type=cache,target=/x,source=/y \\\n"
      "    --network=host --security=insecure \\\n"
      "    make\n"
      "FROM scratch AS later\n");
  std::vector<std::string> all = problem.hints();
  all.emplace_back(problem.what());
  EXPECT_THAT(all, Contains(HasSubstr("later")));
  EXPECT_THAT(all, Contains(HasSubstr("gone not found in the build context")));
  EXPECT_THAT(all, Contains(HasSubstr("secret token: not found")));
  EXPECT_THAT(all, Contains(HasSubstr("no SSH key git forwarded")));
  EXPECT_THAT(all, Contains(HasSubstr("needs a from")));
  EXPECT_THAT(all, Contains(HasSubstr("network.host is not allowed")));
  EXPECT_THAT(all, Contains(HasSubstr("security.insecure is not allowed")));
  // Each with what to do about it.
  EXPECT_THAT(all,
              Contains("also: Dockerfile:7: network.host is not allowed (if you trust this Dockerfile, add --allow "
                       "network.host)"));
  EXPECT_THAT(all, Contains(HasSubstr("git forwarded from the client (add --ssh git)")));
  EXPECT_TRUE(opened_.empty());
}

TEST_F(BuildTest, EntitlementErrorNamesLineAndFlag) {
  const auto error = build_error("FROM scratch\nRUN --security=insecure x\n");
  EXPECT_THAT(error.hints(), Contains(HasSubstr("--allow security.insecure")));
  ASSERT_TRUE(error.span());
  EXPECT_EQ(error.span()->first_line, 2);
  EXPECT_GT(error.span()->column, 1);
}

}  // namespace
}  // namespace tektii::builder
