#include "ns_fixture.hpp"

#include <tektii/exec/user_namespace.hpp>
#include <tektii/fs/walk.hpp>
#include <tektii/util/process.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace tektii::exec {

namespace {

namespace stdfs = std::filesystem;

std::optional<Unavailable>& entered_slot() {
  static std::optional<Unavailable> slot;
  return slot;
}

void copy_with_libraries(const std::string& program, const stdfs::path& root) {
  const ProcessResult where = run_process({"sh", "-c", "command -v " + program});
  const std::string path(trim(where.out));
  ASSERT_FALSE(path.empty()) << program << " is missing on this machine";
  stdfs::create_directories(root / "bin");
  stdfs::copy_file(path, root / "bin" / program, stdfs::copy_options::overwrite_existing);
  for (const std::string& line : split(run_process({"ldd", path}).out, '\n')) {
    for (const std::string& word : split(trim(line), ' ')) {
      if (!word.starts_with('/')) continue;
      stdfs::create_directories((root / word.substr(1)).parent_path());
      stdfs::copy_file(word, root / word.substr(1), stdfs::copy_options::skip_existing);
    }
  }
}

struct Tools {
  Tools() {
    for (const char* program :
         {"sh",   "cat", "ls",    "id", "chown",    "chmod", "mkdir", "rm",       "mv",    "sleep", "head",
          "stat", "ln",  "touch", "cp", "readlink", "env",   "find",  "hostname", "mount", "mknod"}) {
      copy_with_libraries(program, dir.path());
    }
    stdfs::create_directories(dir.path() / "etc");
    stdfs::create_directories(dir.path() / "tmp");
    stdfs::permissions(dir.path() / "tmp", stdfs::perms::all | stdfs::perms::sticky_bit);
    write_file_atomic(dir.path() / "etc/passwd", "root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n");
    write_file_atomic(dir.path() / "etc/keep", "kept");
    stdfs::permissions(dir.path(), stdfs::perms(0755));
  }
  TempDir dir;
};

}  // namespace

void set_entered(std::optional<Unavailable> entered) {
  entered_slot() = std::move(entered);
}

NsTest::NsTest() : executor_(make_userns_executor(entered_slot())) {}

void NsTest::SetUp() {
  if (const auto reason = executor_->unavailable_reason(RunSpec{})) {
    const char* required = std::getenv("TEKTII_REQUIRE_NS");
    if (required != nullptr && std::string(required) == "1") FAIL() << reason->reason;
    GTEST_SKIP() << reason->reason;
  }
  rootfs_.lower_dirs = {tools()};
  new_upper();
}

void NsTest::TearDown() {
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD) << "a child process is left";
  EXPECT_THAT(read_file("/proc/self/mountinfo"), testing::Not(testing::HasSubstr(temp_.path().string())));
  if (rootfs_.work_dir.empty()) return;
  EXPECT_TRUE(stdfs::is_empty(rootfs_.work_dir));
}

const stdfs::path& NsTest::tools() const {
  static const Tools tools;
  return tools.dir.path();
}

stdfs::path NsTest::new_layer(const std::string& name) const {
  const stdfs::path layer = temp_.path() / name;
  stdfs::create_directory(layer);
  return layer;
}

void NsTest::new_upper() {
  ++uppers_;
  rootfs_.upper_dir = new_layer(fmt::format("upper{}", uppers_));
  rootfs_.work_dir = new_layer(fmt::format("work{}", uppers_));
}

std::vector<std::string> NsTest::changes() const {
  std::vector<std::string> paths;
  fs::walk_tree(upper(), {}, [&](const fs::WalkEntry& entry) {
    paths.push_back(entry.path + (entry.metadata.type == fs::FileType::directory ? "/" : ""));
    return fs::WalkAction::keep_going;
  });
  return paths;
}

RunSpec NsTest::shell(const std::string& script) const {
  RunSpec spec;
  spec.argv = {"/bin/sh", "-c", script};
  spec.env = {"PATH=/usr/bin:/bin"};
  return spec;
}

RunResult NsTest::run(const RunSpec& spec) {
  CollectingSink sink;
  RunResult result;
  result.status = executor_->run(rootfs_, spec, sink, {});
  result.out = std::move(sink.out);
  result.err = std::move(sink.err);
  return result;
}

}  // namespace tektii::exec
