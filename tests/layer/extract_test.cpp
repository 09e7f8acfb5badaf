#include "layer/support.hpp"
#include <tektii/layer/extract.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/process.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <layer/extract_within.hpp>

namespace tektii::layer {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::raw_tar;
using testing::RawMember;

namespace fs = std::filesystem;

class ExtractTest : public ::testing::Test {
 protected:
  ExtractTest() { make_directories(root()); }

  fs::path root() const { return directory_.path() / "root"; }
  ExtractReport extract(const std::string& bytes) const {
    StringSource source(bytes);
    return extract_archive(source, root());
  }
  std::string text(const std::string& path) const { return read_file(root() / path); }
  unsigned mode(const std::string& path) const {
    struct stat status {};
    EXPECT_EQ(::lstat((root() / path).c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
  }
  // What is outside of the root must never change.
  void expect_nothing_outside() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory_.path())) names.push_back(entry.path().filename());
    EXPECT_THAT(names, ::testing::ElementsAre("root"));
  }

  TempDir directory_;
};

TEST_F(ExtractTest, FilesDirectoriesAndLinks) {
  const auto report = extract(raw_tar({{"./", '5'},
                                       {"./d/", '5', "", "", 0700},
                                       {"./d/a", '0', "hello", "", 0755},
                                       {"d/l", '2', "", "../../elsewhere"},
                                       {"h", '1', "", "d/a"},
                                       {"no/parents/b", '0', "b", "", 0640}}));
  EXPECT_EQ(report.entries, 6U);
  EXPECT_EQ(text("d/a"), "hello");
  EXPECT_EQ(text("h"), "hello");
  EXPECT_EQ(fs::hard_link_count(root() / "h"), 2U);
  EXPECT_EQ(fs::read_symlink(root() / "d/l"), "../../elsewhere");
  EXPECT_EQ(mode("d/a"), 0755U);
  EXPECT_EQ(mode("d"), 0700U);
  EXPECT_EQ(mode("no/parents/b"), 0640U);
  expect_nothing_outside();
}

TEST_F(ExtractTest, DirectoriesThatAreLeftOutDependOnNeitherUmaskNorClock) {
  const mode_t before = ::umask(077);
  extract(raw_tar({{"p/sub/f", '0', "x"}, {"q/g", '0', "x"}, {"q", '0', "file"}, {"q", '5'}, {"late/f", '0', "x"}}));
  ::umask(before);
  for (const std::string path : {"p", "p/sub", "late"}) {
    struct stat status {};
    ASSERT_EQ(::lstat((root() / path).c_str(), &status), 0) << path;
    EXPECT_EQ(status.st_mode & 07777U, 0755U) << path;
    EXPECT_EQ(status.st_mtime, 0) << path;
  }
  EXPECT_TRUE(fs::is_empty(root() / "q"));
}

TEST_F(ExtractTest, TakesNoMoreThanItsLimits) {
  const auto extract_with = [&](TarBudget budget, const std::vector<RawMember>& members) {
    const std::string bytes = raw_tar(members);
    return error_of([&] {
      StringSource source(bytes);
      extract_within(budget, source, root(), {});
    });
  };
  EXPECT_EQ(extract_with(TarBudget(2), {{"a", '0', "x"}, {"fifo", '6'}}), "no error");
  EXPECT_THAT(extract_with(TarBudget(1), {{"b", '0', "x"}, {"fifo", '6'}}), HasSubstr("more than 10 million entries"));
  EXPECT_THAT(extract_with(TarBudget(9, 300), {{"c/", '5'}, {"d/", '5'}, {"e/", '5'}, {"f/", '5'}}),
              HasSubstr("more than 1 GiB of names"));
  EXPECT_THAT(extract_with(TarBudget(9, 300), {{"g/h/i/j/k/l/m/n", '0', "x"}}), HasSubstr("more than 1 GiB of names"));
}

TEST_F(ExtractTest, NamesStayInside) {
  extract(raw_tar({{"/etc/passwd", '0', "x"}, {"//a//./b", '0', "y"}}));
  EXPECT_EQ(text("etc/passwd"), "x");
  EXPECT_EQ(text("a/b"), "y");
  for (const std::string name : {"../a", "a/../../b", "..", "a/.."}) {
    EXPECT_THAT(error_of([&] { extract(raw_tar({{name, '0', "x"}})); }), HasSubstr("has \"..\" in its path")) << name;
  }
  EXPECT_THAT(error_of([&] { extract(raw_tar({{"h", '1', "", "../../etc/passwd"}})); }), HasSubstr("\"..\""));
  expect_nothing_outside();
}

TEST_F(ExtractTest, SymlinksAreNeverFollowed) {
  for (const std::string target : {"..", "/", "d"}) {
    const std::string error = error_of([&] {
      extract(raw_tar({{"d/", '5'}, {"s", '2', "", target}, {"s/file", '0', "x"}}));
    });
    EXPECT_THAT(error, HasSubstr("\"s\" is below \"s\", which the same archive makes something else")) << target;
    EXPECT_FALSE(fs::exists(root() / "d/file"));
    EXPECT_THAT(error_of([&] {
                  extract(raw_tar({{"t", '2', "", target}, {"h", '1', "", "t/root"}}));
                }),
                HasSubstr("no earlier file"));
  }
  expect_nothing_outside();
}

TEST_F(ExtractTest, AFileReplacesASymlinkAndDoesNotWriteThroughIt) {
  write_file_atomic(directory_.path() / "victim", "safe");
  extract(raw_tar({{"s", '2', "", "../victim"}, {"s", '0', "new"}}));
  EXPECT_EQ(read_file(directory_.path() / "victim"), "safe");
  EXPECT_EQ(text("s"), "new");
  EXPECT_FALSE(fs::is_symlink(root() / "s"));
}

TEST_F(ExtractTest, ADirectoryThroughASymlinkIsMadeAnew) {
  make_directories(directory_.path() / "outside");
  extract(raw_tar({{"s", '2', "", "../outside"}, {"s/", '5', "", "", 0755}, {"s/x", '0', "x"}}));
  EXPECT_TRUE(fs::is_empty(directory_.path() / "outside"));
  EXPECT_EQ(text("s/x"), "x");
}

TEST_F(ExtractTest, LaterMembersReplaceEarlierOnes) {
  extract(raw_tar({{"a/", '5'},
                   {"a/b", '0', "1"},
                   {"a", '0', "file"},
                   {"c", '0', "1"},
                   {"c/", '5'},
                   {"c/d", '0', "2"},
                   {"e", '0', "old"},
                   {"e", '0', "new"}}));
  EXPECT_EQ(text("a"), "file");
  EXPECT_EQ(text("c/d"), "2");
  EXPECT_EQ(text("e"), "new");
}

TEST_F(ExtractTest, DevicesAreLeftOutAndUnreadableFilesCanBeRead) {
  const auto report =
      extract(raw_tar({{"dev", '3'}, {"fifo", '6'}, {"secret", '0', "x", "", 0000}, {"closed/", '5', "", "", 0000}}));
  EXPECT_EQ(report.left_out, 2U);
  EXPECT_FALSE(fs::exists(root() / "dev"));
  EXPECT_EQ(mode("secret"), 0400U);
  EXPECT_EQ(mode("closed"), 0700U);
}

TEST_F(ExtractTest, WhiteoutNamesMeanNothing) {
  extract(raw_tar({{"a/.wh.b", '0', "x"}, {"a/.wh..wh..opq", '0', "y"}}));
  EXPECT_EQ(text("a/.wh.b"), "x");
  EXPECT_EQ(text("a/.wh..wh..opq"), "y");
}

TEST_F(ExtractTest, EveryCompression) {
  const std::string tar = raw_tar({{"a", '0', "hello"}});
  for (const std::string program : {"cat", "gzip", "bzip2", "xz", "zstd"}) {
    SCOPED_TRACE(program);
    ProcessOptions options;
    options.stdin_text = tar;
    const auto result = run_process({program}, options);
    if (result.not_found) continue;
    EXPECT_TRUE(looks_like_archive(as_byte_span(result.out)));
    extract(result.out);
    EXPECT_EQ(text("a"), "hello");
    fs::remove(root() / "a");
    const std::string cut = result.out.substr(0, result.out.size() / 3);
    EXPECT_NE(error_of([&] { extract(cut); }), "") << "a truncated archive was taken";
    remove_tree(root());
    make_directories(root());
  }
}

TEST_F(ExtractTest, WhatIsNoArchive) {
  EXPECT_FALSE(looks_like_archive({}));
  EXPECT_FALSE(looks_like_archive(as_byte_span("FROM scratch\n")));
  EXPECT_FALSE(looks_like_archive(as_byte_span(std::string(2000, '\0'))));
  EXPECT_FALSE(looks_like_archive(as_byte_span("FROM a\n" + std::string(2000, '#'))));
  EXPECT_THAT(error_of([&] { extract("FROM scratch\n" + std::string(600, 'x')); }), HasSubstr("not a valid tar"));
}

TEST_F(ExtractTest, StopsWhenAsked) {
  std::stop_source source;
  source.request_stop();
  StringSource bytes(raw_tar({{"a", '0', "x"}}));
  EXPECT_THROW(extract_archive(bytes, root(), source.get_token()), Error);
}

}  // namespace
}  // namespace tektii::layer
