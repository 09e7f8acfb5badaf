#include "builder/build_fixture.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>

#include <filesystem>
#include <set>
#include <utility>

namespace tektii::builder {
namespace {

using ::testing::HasSubstr;
namespace stdfs = std::filesystem;

// RUN with a root file system of its own.
class RunCopyTest : public RunTest {
 protected:
  BuildResult build_by_copy(const std::string& dockerfile) {
    auto all = deps();
    all.snapshotter = Snapshotter::copy;
    request_.dockerfile_text = dockerfile;
    return build_image(request_, all, {});
  }

  // Runs the shell's part of the command in the directory that is the root.
  void use_shell() {
    executor_.command = [this](const exec::Rootfs& rootfs, const exec::RunSpec& spec, auto&) {
      EXPECT_TRUE(rootfs.lower_dirs.empty());
      EXPECT_TRUE(rootfs.upper_dir.empty());
      EXPECT_TRUE(stdfs::is_empty(rootfs.work_dir));
      struct stat info {};
      EXPECT_EQ(::stat(rootfs.root_dir.c_str(), &info), 0);
      roots_.insert({rootfs.root_dir, info.st_ino});
      const std::string command = "cd '" + rootfs.root_dir.string() + "' && " + spec.argv.back();
      return exec::ExitStatus{std::system(command.c_str()) == 0 ? 0 : 1, 0};
    };
  }

  stdfs::path places() const { return store_.root() / "layers/v1/tmp"; }

  std::set<std::pair<stdfs::path, ino_t>> roots_;
};

TEST_F(RunCopyTest, StepsOfAStageShareOneTree) {
  write("file", "of the context");
  use_shell();
  const auto result = build_by_copy(
      "FROM scratch\nCOPY file /a/b/\nRUN echo 1 > one\nRUN rm a/b/file && mv one two\nCOPY file /a/c/\n"
      "RUN test ! -e one && cat a/c/file two > three\nRUN true\n");
  const auto tree = tree_of(result);
  EXPECT_EQ(result.image.layers.size(), 5U);
  EXPECT_EQ(roots_.size(), 1U);
  EXPECT_EQ(tree.find("one"), nullptr);
  EXPECT_EQ(tree.find("a/b/file"), nullptr);
  ASSERT_NE(tree.find("three"), nullptr);
  EXPECT_EQ(tree.find("three")->metadata.size, 16U);
  EXPECT_LE(tree.find("three")->metadata.mtime, request_.source_date_epoch);
  EXPECT_TRUE(stdfs::is_empty(places()));
}

TEST_F(RunCopyTest, StepsThatAreCachedAreTakenIn) {
  use_shell();
  build_by_copy("FROM scratch\nRUN echo 1 > one\nRUN echo 2 > two\n");
  roots_.clear();
  const auto result = build_by_copy("FROM scratch\nRUN echo 1 > one\nRUN echo 2 > two\nRUN cat one two > three\n");
  EXPECT_EQ(roots_.size(), 1U);
  EXPECT_EQ(tree_of(result).find("three")->metadata.size, 4U);
}

TEST_F(RunCopyTest, StagesHaveTreesOfTheirOwn) {
  use_shell();
  const auto result = build_by_copy(
      "FROM scratch AS base\nRUN echo 1 > one\nFROM base AS a\nRUN rm one && echo a > a\nFROM base\n"
      "COPY --from=a /a /\nRUN cat one a > b\n");
  EXPECT_EQ(tree_of(result).find("b")->metadata.size, 4U);
  EXPECT_TRUE(stdfs::is_empty(places()));
}

TEST_F(RunCopyTest, AFailedCommandLeavesNothing) {
  executor_.command = [](const exec::Rootfs& rootfs, const auto&, auto&) {
    write_file_atomic(rootfs.root_dir / "half", "done");
    return exec::ExitStatus{1, 0};
  };
  request_.dockerfile_text = "FROM scratch\nRUN fail\n";
  EXPECT_THROW(build_by_copy(request_.dockerfile_text), Error);
  EXPECT_TRUE(stdfs::is_empty(places()));
}

TEST_F(RunCopyTest, BindMountsAreFilesOfTheirOwn) {
  write("file", "of the context");
  write("deep/er/file", "x");
  std::vector<std::string> seen;
  executor_.command = [&](const exec::Rootfs& rootfs, const exec::RunSpec& spec, auto&) {
    for (const auto& mount : spec.mounts) {
      const auto& path = std::get<exec::HostSource>(mount.source).path;
      std::string text = mount.target + (mount.read_only ? " ro " : " rw ");
      text += stdfs::is_directory(path) ? "directory" : read_file(path);
      seen.push_back(text);
      if (!mount.read_only && stdfs::is_directory(path)) write_file_atomic(path / "written", "gone with the mount");
    }
    if (spec.mounts.empty()) write_file_atomic(rootfs.root_dir / "tool", "tool");
    return exec::ExitStatus{};
  };
  build_by_copy(
      "FROM scratch AS tools\nRUN make\nFROM scratch\n"
      "RUN --mount=type=bind,source=file,target=/f --mount=type=bind,target=/ctx,rw "
      "--mount=type=bind,from=tools,source=/tool,target=/tool --mount=type=bind,from=tools,target=/all "
      "--mount=type=bind,from=scratch,target=/none use\n");
  EXPECT_THAT(seen, ::testing::UnorderedElementsAre("/f ro of the context", "/ctx rw directory", "/tool ro tool",
                                                    "/all ro directory", "/none ro directory"));
  EXPECT_FALSE(stdfs::exists(request_.context / "written"));
  EXPECT_TRUE(stdfs::is_empty(places()));
}

TEST_F(RunCopyTest, NamesAMountThatAStageLacks) {
  use_shell();
  try {
    build_by_copy(
        "FROM scratch AS tools\nRUN echo > x\nFROM scratch\nRUN --mount=type=bind,from=tools,source=/none,target=/n "
        "x\n");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("/none"));
  }
}

}  // namespace
}  // namespace tektii::builder
