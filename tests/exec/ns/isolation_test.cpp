#include "ns_fixture.hpp"
#include "support/sanitizers.hpp"
#include <tektii/util/file.hpp>

#include <gmock/gmock.h>

#include <unistd.h>

#include <string>

namespace tektii::exec {
namespace {

using testing::HasSubstr;
using testing::Not;

class IsolationTest : public NsTest {};

TEST_F(IsolationTest, HasItsOwnProcesses) {
  const RunResult result = run("echo $$ $PPID; ls /proc");
  // ThreadSanitizer's thread in the init takes a number too.
  EXPECT_THAT(result.out, testing::StartsWith(k_thread_sanitizer ? "3 1\n1\n" : "2 1\n1\n"));
  EXPECT_THAT(result.out, Not(HasSubstr("\n" + std::to_string(::getpid()) + "\n")));
}

TEST_F(IsolationTest, HasItsOwnHostName) {
  RunSpec spec = shell("hostname; cat /etc/hosts");
  spec.host_name = "somewhere";
  const RunResult result = run(spec);
  EXPECT_THAT(result.out, testing::StartsWith("somewhere\n"));
  EXPECT_THAT(result.out, HasSubstr("127.0.0.1\tsomewhere\n"));
}

TEST_F(IsolationTest, HasTheUsualDevices) {
  const RunResult result =
      run("cd /dev; for n in null zero full random urandom; do stat -c '%n %F %t,%T' $n; done;"
          "for l in fd stdin stdout stderr core ptmx; do readlink $l; done;"
          "ls -d pts shm mqueue; echo x >null && head -c 3 zero >/tmp/z && stat -c %s /tmp/z; ls /dev/fd/0; stat -c %a "
          "shm");
  EXPECT_EQ(result.out,
            "null character special file 1,3\nzero character special file 1,5\nfull character special file 1,7\n"
            "random character special file 1,8\nurandom character special file 1,9\n"
            "/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\n/proc/kcore\npts/ptmx\n"
            "mqueue\npts\nshm\n3\n/dev/fd/0\n1777\n")
      << result.err;
}

TEST_F(IsolationTest, ProtectsProcAndSys) {
  const RunResult result =
      run("echo 1 > /proc/sys/kernel/panic || echo ro-proc;"
          "echo h > /proc/sysrq-trigger || echo ro-sysrq; mkdir /sys/x || echo ro-sys; head -c 1 /proc/kcore | cat;"
          "ls /sys/firmware; cat /proc/self/mounts");
  EXPECT_THAT(result.out, testing::StartsWith("ro-proc\nro-sysrq\nro-sys\n"));
  EXPECT_THAT(result.out, Not(HasSubstr(rootfs_.upper_dir.string())));
  EXPECT_THAT(result.out, Not(HasSubstr("ext4 /old")));
}

TEST_F(IsolationTest, HasNoForeignDescriptors) {
  const int leaked = ::dup(STDIN_FILENO);  // without O_CLOEXEC
  const RunResult result = run("ls /proc/self/fd");
  ::close(leaked);
  // 3 is the directory that ls reads.
  EXPECT_EQ(result.out, "0\n1\n2\n3\n");
}

TEST_F(IsolationTest, NoNetworkHasALoopbackAlone) {
  RunSpec spec = shell("cat /proc/net/dev; ls /sys/class/net");
  spec.network = NetworkMode::none;
  const RunResult result = run(spec);
  EXPECT_THAT(result.out, HasSubstr("lo:"));
  EXPECT_THAT(result.out, testing::EndsWith("\nlo\n")) << result.err;
}

TEST_F(IsolationTest, SeesTheHostsResolver) {
  const RunResult result = run("cat /etc/resolv.conf; echo x >> /etc/resolv.conf");
  if (std::filesystem::exists("/etc/resolv.conf")) {
    EXPECT_EQ(result.out, read_file("/etc/resolv.conf"));
  }
  EXPECT_NE(result.status.exit_code, 0);
}

TEST_F(IsolationTest, DeviceNodesGiveNoAccess) {
  const RunResult result = run("mknod /node c 1 5; cat /node");
  EXPECT_NE(result.status.exit_code, 0);
}

}  // namespace
}  // namespace tektii::exec
