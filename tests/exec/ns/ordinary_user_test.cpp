#include "support/sanitizers.hpp"
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <exec/linux/id_map.hpp>
#include <optional>
#include <string>

namespace tektii::exec {
namespace {

// A user of this machine who could build without root.
std::optional<passwd> find_user_with_subuids() {
  if (::access("/etc/subuid", R_OK) != 0 || ::access("/etc/subgid", R_OK) != 0) return std::nullopt;
  for (const std::string& line : split(read_file("/etc/subuid"), '\n')) {
    const passwd* entry = ::getpwnam(line.substr(0, line.find(':')).c_str());
    if (entry == nullptr || entry->pw_uid == 0) continue;
    if (find_subordinate_range(read_file("/etc/subgid"), entry->pw_name, entry->pw_uid)) return *entry;
  }
  return std::nullopt;
}

// All other tests of this program once more, as that user: everything that root can do here, a user can do too.
TEST(OrdinaryUser, PassesTheSameTests) {
  if (k_thread_sanitizer) GTEST_SKIP() << "ThreadSanitizer's thread keeps us from a user namespace";
  if (::geteuid() != 0 || std::getenv("TEKTII_NS_SECOND_PASS") != nullptr) GTEST_SKIP() << "already an ordinary user";
  const std::optional<passwd> user = find_user_with_subuids();
  if (!user) GTEST_SKIP() << "no user has a range in /etc/subuid and /etc/subgid";
  // By descriptor: the user need not be able to reach the build directory.
  const int program = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(program, 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (::setgroups(0, nullptr) != 0 || ::setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 ||
        ::setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0 || ::chdir("/") != 0) {
      ::_exit(125);
    }
    ::setenv("TEKTII_NS_SECOND_PASS", "1", 1);
    ::setenv("TEKTII_REQUIRE_NS", "1", 1);
    ::unsetenv("TMPDIR");
    ::unsetenv("XML_OUTPUT_FILE");
    ::unsetenv("GTEST_OUTPUT");
    const char* argv[] = {"tektii_exec_ns_tests", "--gtest_brief=1", "--gtest_filter=-OrdinaryUser.*", nullptr};
    ::fexecve(program, const_cast<char**>(argv), environ);
    ::_exit(126);
  }
  ::close(program);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace tektii::exec
