#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <exec/linux/diagnosis.hpp>
#include <functional>

namespace tektii::exec {
namespace {

using testing::Contains;
using testing::HasSubstr;

NamespaceFacts capable_user() {
  NamespaceFacts facts;
  facts.uid = 1000;
  facts.user_name = "alice";
  facts.mapped_ids = 4294967295U;
  facts.max_user_namespaces = 15000;
  facts.newuidmap = "/usr/bin/newuidmap";
  facts.newgidmap = "/usr/bin/newgidmap";
  facts.sub_uids = IdRange{100000, 65536};
  facts.sub_gids = IdRange{100000, 65536};
  facts.first_free_id = 165536;
  return facts;
}

TEST(FindObstacle, ThereIsNoneForACapableUser) {
  EXPECT_FALSE(find_obstacle(capable_user()).has_value());
  NamespaceFacts root = capable_user();
  root.uid = 0;
  root.is_root = true;
  root.newuidmap.clear();
  root.sub_uids.reset();
  root.max_user_namespaces = 0;
  EXPECT_FALSE(find_obstacle(root).has_value());
}

TEST(FindObstacle, SaysWhatIsMissingAndWhatToDo) {
  struct Row {
    std::function<void(NamespaceFacts&)> change;
    const char* reason;
    const char* hint;
  };
  const Row rows[] = {
      {[](auto& f) { f.max_user_namespaces = 0; }, "max_user_namespaces is 0", "sysctl user.max_user_namespaces="},
      {[](auto& f) { f.unprivileged_userns_clone = 0; }, "unprivileged_userns_clone is 0",
       "sysctl kernel.unprivileged_userns_clone=1"},
      {[](auto& f) { f.newuidmap.clear(); }, "newuidmap is not installed", "apt-get install uidmap"},
      {[](auto& f) { f.newgidmap.clear(); }, "newgidmap is not installed", "apt-get install uidmap"},
      {[](auto& f) { f.no_new_privs = true; }, "no_new_privs", "no-new-privileges"},
      {[](auto& f) { f.sub_uids.reset(); }, "/etc/subuid",
       "sudo usermod --add-subuids 165536-231071 --add-subgids 165536-231071 alice"},
      {[](auto& f) { f.sub_gids.reset(); }, "/etc/subgid",
       "sudo usermod --add-subuids 165536-231071 --add-subgids 165536-231071 alice"},
      {[](auto& f) { f.sub_uids->count = 10; }, "has only 10 ids", "65536"},
      {[](auto& f) {
         f.uid = 0;
         f.sub_uids.reset();
       },
       "/etc/subuid", "--cap-add SYS_ADMIN"},
      {[](auto& f) {
         f.is_root = true;
         f.mapped_ids = 1;
       },
       "only 1 mapped ids", "65536"},
  };
  for (const Row& row : rows) {
    NamespaceFacts facts = capable_user();
    row.change(facts);
    const auto obstacle = find_obstacle(facts);
    ASSERT_TRUE(obstacle.has_value()) << row.reason;
    EXPECT_THAT(obstacle->reason, HasSubstr(row.reason));
    EXPECT_THAT(obstacle->hints, Contains(HasSubstr(row.hint))) << row.reason;
  }
}

TEST(FindObstacle, RefusesAProcessWithThreads) {
  NamespaceFacts facts = capable_user();
  facts.threads = 3;
  ASSERT_TRUE(find_obstacle(facts).has_value());
  EXPECT_THAT(find_obstacle(facts)->reason, HasSubstr("3 threads"));
}

TEST(ExplainFailure, PointsAtThePolicyInForce) {
  NamespaceFacts facts = capable_user();
  facts.apparmor_restricts = 1;
  EXPECT_THAT(explain_failure(facts, "mount a tmpfs", EACCES).hints, Contains(HasSubstr("AppArmor")));
  EXPECT_EQ(explain_failure(facts, "mount a tmpfs", EACCES).reason, "can't mount a tmpfs: Permission denied");
  facts.apparmor_restricts.reset();
  facts.seccomp_filtered = true;
  EXPECT_THAT(explain_failure(facts, "create a user namespace", EPERM).hints, Contains(HasSubstr("seccomp")));
  EXPECT_THAT(explain_failure(facts, "create a user namespace", ENOSPC).hints, Contains(HasSubstr("limit")));
  EXPECT_THAT(explain_failure(facts, "mount an overlay file system", ENODEV).hints, Contains(HasSubstr("modprobe")));
  EXPECT_EQ(explain_failure(facts, "newuidmap failed: no", 0).reason, "newuidmap failed: no");
}

}  // namespace
}  // namespace tektii::exec
