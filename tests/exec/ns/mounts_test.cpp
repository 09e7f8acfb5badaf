#include "ns_fixture.hpp"
#include <tektii/util/error.hpp>

#include <gmock/gmock.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stop_token>
#include <string>
#include <thread>

namespace tektii::exec {
namespace {

namespace stdfs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class MountsTest : public NsTest {
 protected:
  // A stack of one layer with /dir/file, /dir/sub and a link to /dir.
  OverlaySource stack(const std::string& name, const std::string& path = "/") {
    const stdfs::path layer = new_layer(name);
    stdfs::create_directories(layer / "dir/sub");
    write_file_atomic(layer / "dir/file", "from " + name);
    stdfs::create_symlink("/dir", layer / "link");
    return {{layer}, new_layer(name + ".upper"), new_layer(name + ".work"), path};
  }
  static Mount mount(const std::string& target, decltype(Mount::source) source, bool read_only = false) {
    return {target, std::move(source), read_only};
  }
  RunResult run_with(const std::string& script, std::vector<Mount> mounts) {
    RunSpec spec = shell(script);
    spec.mounts = std::move(mounts);
    return run(spec);
  }
  std::string error_of(const std::string& script, std::vector<Mount> mounts) {
    try {
      run_with(script, std::move(mounts));
    } catch (const Error& error) {
      return error.message();
    }
    return "no error";
  }
  // Root in a namespace of its own only.
  // Told by the ids of the namespace that the tests have entered: only root's has all of them.
  static bool is_ordinary_user() { return read_file("/proc/self/uid_map").find("4294967295") == std::string::npos; }
  SecretSource secret(const std::string& value, std::uint32_t mode = 0400, std::uint32_t uid = 0) {
    return {Secret(value), mode, uid, uid};
  }
};

TEST_F(MountsTest, StackIsShownAndLeavesNothing) {
  const RunResult result = run_with("cat /mnt/new/dir/file; echo x > /mnt/new/dir/file; echo x > /mnt/new/added",
                                    {mount("/mnt/new", stack("s"), true)});
  EXPECT_EQ(result.out, "from s");
  EXPECT_THAT(result.err, HasSubstr("Read-only file system"));
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(MountsTest, WritesToAStackAreDiscarded) {
  OverlaySource source = stack("s");
  const stdfs::path layer = source.lower_dirs.front();
  const RunResult result =
      run_with("echo y > /mnt/dir/file && rm -r /mnt/dir/sub && cat /mnt/dir/file", {mount("/mnt", std::move(source))});
  EXPECT_EQ(result.out, "y\n");
  EXPECT_EQ(read_file(layer / "dir/file"), "from s");
  EXPECT_TRUE(stdfs::exists(layer / "dir/sub"));
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(MountsTest, PartOfAStack) {
  EXPECT_EQ(run_with("cat /mnt/file", {mount("/mnt", stack("a", "/dir"), true)}).out, "from a");
  new_upper();
  EXPECT_EQ(run_with("cat /mnt/file", {mount("/mnt", stack("b", "/link"), true)}).out, "from b");
  new_upper();
  EXPECT_EQ(run_with("cat /etc/it", {mount("/etc/it", stack("c", "link/file"), true)}).out, "from c");
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(MountsTest, NamesWhatAStackLacks) {
  EXPECT_EQ(error_of("true", {mount("/mnt", stack("s", "/dir/none"))}),
            "RUN --mount: /dir/none does not exist in what it is mounted from");
}

TEST_F(MountsTest, EmptyStack) {
  const OverlaySource source{{}, new_layer("u"), new_layer("w"), "/"};
  EXPECT_EQ(run_with("ls -A /mnt; touch /mnt/x && echo written", {mount("/mnt", source)}).out, "written\n");
}

TEST_F(MountsTest, HostDirectoryKeepsWhatIsWritten) {
  const stdfs::path directory = new_layer("cache");
  EXPECT_TRUE(run_with("echo kept > /c/file", {mount("/c", HostSource{directory})}).status.success());
  EXPECT_EQ(read_file(directory / "file"), "kept\n");
  new_upper();
  const RunResult result = run_with("cat /c/file; touch /c/x", {mount("/c", HostSource{directory}, true)});
  EXPECT_EQ(result.out, "kept\n");
  EXPECT_FALSE(result.status.success());
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(MountsTest, DeviceNodesInAHostDirectoryAreOfNoUse) {
  const RunResult result =
      run_with("mknod /c/null c 1 3 && echo x > /c/null", {mount("/c", HostSource{new_layer("cache")})});
  // An ordinary user can't even make one.
  EXPECT_THAT(result.err, HasSubstr(is_ordinary_user() ? "Operation not permitted" : "Permission denied"));
}

TEST_F(MountsTest, TmpfsHasItsSizeAndIsForEverybody) {
  const RunResult result = run_with("stat -c %a /t /t2; cat /proc/self/mountinfo; cp /bin/sh /t/a; cp /bin/sh /t2/a",
                                    {mount("/t", TmpfsSource{4096}), mount("/t2", TmpfsSource{})});
  EXPECT_THAT(result.out, StartsWith("1777\n1777\n"));
  EXPECT_THAT(result.out, HasSubstr("size=4k"));
  EXPECT_THAT(result.err, HasSubstr("/t/a"));
  EXPECT_THAT(result.err, Not(HasSubstr("/t2/a")));
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(MountsTest, SecretIsAFileOfItsOwnerAndLeavesNothing) {
  const RunResult result = run_with(
      "stat -c '%a %u %g' /run/secrets/a /run/secrets/b; cat /run/secrets/a /run/secrets/b; echo x > /run/secrets/a",
      {mount("/run/secrets/a", secret("first\n")), mount("/run/secrets/b", secret("second\n", 0444, 33))});
  EXPECT_EQ(result.out, "400 0 0\n444 33 33\nfirst\nsecond\n");
  EXPECT_THAT(result.err, HasSubstr("Read-only file system"));
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(MountsTest, SecretThatIsEmptyOrLarge) {
  const std::string large(500 * 1024, 's');
  const RunResult result = run_with("stat -c %s /s/a /s/b", {mount("/s/a", secret("")), mount("/s/b", secret(large))});
  EXPECT_EQ(result.out, "0\n512000\n");
}

TEST_F(MountsTest, SecretVariableReplacesOneOfItsName) {
  RunSpec spec = shell("env; cat /proc/1/environ /proc/1/cmdline");
  spec.env = {"PATH=/bin", "TOKEN=public"};
  spec.secret_env = {{"TOKEN", Secret("hidden")}, {"EMPTY", Secret("")}};
  const RunResult result = run(spec);
  EXPECT_THAT(result.out, HasSubstr("TOKEN=hidden\n"));
  EXPECT_THAT(result.out, HasSubstr("EMPTY=\n"));
  EXPECT_THAT(result.out, Not(HasSubstr("public")));
}

TEST_F(MountsTest, SecretsAreOnNoDescriptorOfTheCommand) {
  const RunResult result = run_with("ls -l /proc/self/fd", {mount("/s", secret("hidden"))});
  EXPECT_THAT(result.out, Not(HasSubstr("memfd")));
}

TEST_F(MountsTest, OneMountInsideAnotherWhateverTheirOrder) {
  const stdfs::path cache = new_layer("cache");
  const std::vector<Mount> mounts = {mount("/src/made/by/it", HostSource{cache}),
                                     mount("/src/made/secret", secret("s")),
                                     mount("/src", stack("s"), true),
                                     mount("/src/tmp", TmpfsSource{}),
                                     mount("/src/tmp/in", stack("t"), true),
                                     mount("/dev/extra/x", secret("d"))};
  const RunResult result = run_with(
      "cat /src/dir/file /src/made/secret /src/tmp/in/dir/file /dev/extra/x; touch /src/made/by/it/kept; "
      "touch /src/tmp/x || echo failed; touch /src/x || echo refused",
      mounts);
  EXPECT_EQ(result.out, "from ssfrom tdrefused\n");
  EXPECT_TRUE(stdfs::exists(cache / "kept"));
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(MountsTest, LastOfTwoWithOneTargetCounts) {
  EXPECT_EQ(run_with("cat /a", {mount("/a", secret("1")), mount("/x/../a/", secret("2"))}).out, "2");
}

TEST_F(MountsTest, TargetsThatTheImageHidesLeaveNothing) {
  const stdfs::path layer = new_layer("image");
  stdfs::create_directories(layer / "real/place");
  stdfs::permissions(layer / "real", stdfs::perms(0711));
  stdfs::create_directories(layer / "opaque");
  ASSERT_EQ(::setxattr((layer / "opaque").c_str(), "user.overlay.opaque", "y", 1, 0), 0);
  stdfs::create_symlink("/real", layer / "linked");
  rootfs_.lower_dirs.insert(rootfs_.lower_dirs.begin(), layer);
  const RunResult result =
      run_with("cat /linked/a/b /opaque/x/y /tmp/s; stat -c %a /real /tmp; touch /real/new",
               {mount("/linked/a/b", secret("1")), mount("/opaque/x/y", secret("2")), mount("/tmp/s", secret("3"))});
  EXPECT_EQ(result.out, "123711\n1777\n");
  EXPECT_THAT(changes(), ElementsAre("real/", "real/new"));
}

TEST_F(MountsTest, FileAndDirectoryDoNotFitOnEachOther) {
  EXPECT_THAT(error_of("true", {mount("/tmp", secret("s"))}), HasSubstr("/tmp: Is a directory"));
  new_upper();
  EXPECT_THAT(error_of("true", {mount("/etc/keep", stack("s"))}), HasSubstr("/etc/keep: Not a directory"));
  new_upper();
  EXPECT_THAT(error_of("true", {mount("/etc/keep/below", secret("s"))}), HasSubstr("Not a directory"));
  new_upper();
  EXPECT_THAT(error_of("true", {mount("/sys/nothing", secret("s"))}), HasSubstr("/sys/nothing"));
}

TEST_F(MountsTest, SocketOfTheHost) {
  const int server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = temp_.path() / "agent";
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(server, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const RunResult result =
      run_with("stat -c %F /run/buildkit/ssh_agent.0", {mount("/run/buildkit/ssh_agent.0", HostSource{path})});
  ::close(server);
  EXPECT_EQ(result.out, "socket\n");
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(MountsTest, MissingWorkingDirectoryBelongsToTheUser) {
  RunSpec spec = shell("pwd; stat -c '%u %g %a' . .. /new");
  spec.working_dir = "/new/dir/here";
  spec.uid = 1000;
  spec.gid = 1001;
  EXPECT_EQ(run(spec).out, "/new/dir/here\n1000 1001 755\n1000 1001 755\n1000 1001 755\n");
  EXPECT_THAT(changes(), ElementsAre("new/", "new/dir/", "new/dir/here/"));
}

TEST_F(MountsTest, WorkingDirectoryInsideOfAMount) {
  RunSpec spec = shell("pwd; ls");
  spec.working_dir = "/src/dir";
  spec.mounts = {mount("/src", stack("s"), true)};
  EXPECT_EQ(run(spec).out, "/src/dir\nfile\nsub\n");
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(MountsTest, Surroundings) {
  RunSpec spec = shell("ulimit -Sn; ulimit -Hn; cat /etc/hosts; cat /proc/self/mountinfo");
  spec.ulimits = {{"nofile", 100, 200}};
  spec.shm_size = 1 << 20;
  spec.extra_hosts = {{"db.example", "10.1.2.3"}};
  const RunResult result = run(spec);
  EXPECT_THAT(result.out, StartsWith("100\n200\n10.1.2.3\tdb.example\n"));
  EXPECT_THAT(result.out, testing::ContainsRegex("/dev/shm .*size=1024k"));
}

TEST_F(MountsTest, InsecureCommandHasEveryCapabilityThatThereIs) {
  RunSpec spec = shell("cat /proc/self/status; cat /proc/self/mountinfo; touch /proc/sys/kernel/hostname && echo ok");
  spec.security = SecurityMode::insecure;
  const auto line_of = [](const std::string& text, const std::string& key) {
    const auto start = text.find(key);
    return text.substr(start, text.find('\n', start) - start);
  };
  const std::string own = line_of(read_file("/proc/self/status"), "CapPrm:").substr(7);
  RunResult result = run(spec);
  EXPECT_EQ(line_of(result.out, "CapEff:").substr(7), own);
  EXPECT_THAT(result.out, Not(HasSubstr(" /proc/kcore ")));
  EXPECT_THAT(result.out, Not(HasSubstr(" /proc/sys ")));
  EXPECT_TRUE(is_ordinary_user() || result.out.ends_with("\nok\n"));
  new_upper();
  spec.uid = 1000;
  result = run(spec);
  EXPECT_EQ(line_of(result.out, "CapEff:").substr(7), own);
}

TEST_F(MountsTest, SecretOfAnUnmappedOwnerIsFoundOutBefore) {
  RunSpec spec = shell("true");
  spec.mounts = {mount("/s", secret("s", 0400, 4000000000U))};
  const auto reason = executor_->unavailable_reason(spec);
  if (!is_ordinary_user()) return;  // root has every id
  ASSERT_TRUE(reason);
  EXPECT_THAT(reason->reason, HasSubstr("4000000000"));
}

// Another command that shares a cache swaps a directory of it for a link that leads out of the root.
TEST_F(MountsTest, MountPointsAreNotMadeThroughALinkThatAppearsMeanwhile) {
  const stdfs::path cache = new_layer("cache");
  const stdfs::path outside = new_layer("outside");
  stdfs::create_directory(cache / "in");
  stdfs::create_symlink(outside, cache / "other");
  const std::jthread swapping([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      ::renameat2(AT_FDCWD, (cache / "in").c_str(), AT_FDCWD, (cache / "other").c_str(), RENAME_EXCHANGE);
    }
  });
  for (int i = 0; i < 20; ++i) {
    try {
      run_with("true", {mount("/c", HostSource{cache}), mount("/c/in/new" + std::to_string(i), TmpfsSource{}),
                        mount("/c/in/file" + std::to_string(i), secret("x"))});
    } catch (const Error&) {  // the link was met
    }
    ASSERT_TRUE(stdfs::is_empty(outside)) << i;
  }
}

}  // namespace
}  // namespace tektii::exec
