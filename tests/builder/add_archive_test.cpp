#include "builder/copy_fixture.hpp"

#include <gmock/gmock.h>

#include <fstream>

namespace tektii::builder {
namespace {

using ::testing::HasSubstr;

std::string gzipped(const std::string& text) {
  StringSink sink;
  const auto compressor = make_compressor({}, sink);
  compressor->write(as_byte_span(text));
  compressor->finish();
  return sink.take();
}

TEST_F(CopyTest, AddUnpacksByContentWhateverTheName) {
  write("no-extension", gzipped(make_tar({{"p/", '5', "", "", 0711, 33, 34}, {"p/f", '0', "hi", "", 0640, 33, 34}})));
  const auto result = build("FROM scratch\nADD no-extension /o\n");
  EXPECT_EQ(at(result, "o"), "d 755 0:0");
  EXPECT_EQ(at(result, "o/p"), "d 711 33:34");
  EXPECT_EQ(at(result, "o/p/f"), "f 640 33:34");
  EXPECT_EQ(text_of(result, "o/p/f"), "hi");
}

TEST_F(CopyTest, CopyAndUnpackFalseDoNotUnpack) {
  write("t.tar", make_tar({{"f", '0', "hi"}}));
  const auto result = build("FROM scratch\nCOPY t.tar /a/\nADD --unpack=false t.tar /b/\nADD --unpack t.tar /c/\n");
  EXPECT_EQ(at(result, "a/t.tar"), "f 644 0:0");
  EXPECT_EQ(at(result, "b/t.tar"), "f 644 0:0");
  EXPECT_EQ(text_of(result, "c/f"), "hi");
}

TEST_F(CopyTest, WhatIsNoArchiveIsAddedAsItIs) {
  write("empty", "");
  write("text.tar.gz", "not a tar");
  write("zeros.tar", std::string(10240, '\0'));
  write("text.gz", gzipped("some text"));
  write("broken.gz", gzipped(std::string(5000, 'x')).substr(0, 20));
  const auto result = build("FROM scratch\nADD empty text.tar.gz zeros.tar text.gz broken.gz /o/\n");
  for (const auto* name : {"o/empty", "o/text.tar.gz", "o/zeros.tar", "o/text.gz", "o/broken.gz"}) {
    EXPECT_EQ(at(result, name), "f 644 0:0") << name;
  }
}

TEST_F(CopyTest, RootOfAnArchiveDoesNotChangeTheDestination) {
  write("f", "x");
  write("t.tar", make_tar({{"./", '5', "", "", 0700, 7, 7}, {"./g", '0', "g"}}));
  const auto result = build("FROM scratch\nCOPY --chmod=711 f /o/f\nADD t.tar /o/\n");
  EXPECT_EQ(at(result, "o"), "d 711 0:0");
  EXPECT_EQ(at(result, "o/g"), "f 644 0:0");
  EXPECT_EQ(at(result, "o/f"), "f 711 0:0");
}

TEST_F(CopyTest, ArchiveTakesOwnerButNotMode) {
  write("t.tar", make_tar({{"p/q/f", '0', "hi", "", 0640, 33, 34}}));
  const auto result = build("FROM scratch\nADD --chown=9:8 --chmod=600 t.tar /o/n\n");
  EXPECT_EQ(at(result, "o"), "d 755 9:8");
  EXPECT_EQ(at(result, "o/n/p/q"), "d 755 9:8");
  EXPECT_EQ(at(result, "o/n/p/q/f"), "f 640 9:8");
}

TEST_F(CopyTest, ArchiveReplacesWhatIsInTheWay) {
  write("tree/f/deep", "old");
  write("tree/w", "old");
  write("tree/real/x", "old");
  std::filesystem::create_symlink("real", request_.context / "tree/y");
  write("t.tar",
        make_tar({{"f", '0', "new"}, {"y/", '5', "", "", 0755}, {"y/g", '0', "g"}, {"w/", '5', "", "", 0755}}));
  const auto result = build("FROM scratch\nCOPY tree /o\nADD t.tar /o\n");
  EXPECT_EQ(at(result, "o/f"), "f 644 0:0");
  EXPECT_EQ(at(result, "o/f/deep"), "-");
  EXPECT_EQ(at(result, "o/w"), "d 755 0:0");
  EXPECT_EQ(at(result, "o/y"), "d 755 0:0");
  EXPECT_EQ(at(result, "o/y/g"), "f 644 0:0");
  EXPECT_EQ(at(result, "o/real/x"), "f 644 0:0");
  EXPECT_EQ(at(result, "o/real/g"), "-");
}

TEST_F(CopyTest, MembersGoThroughLinksOnTheirWay) {
  write("root.tar", make_tar({{"run/", '5', "", "", 0755}, {"var/", '5', "", "", 0755}, {"var/run", '2', "", "/run"}}));
  write("payload.tar", make_tar({{"var/run/act/", '5', "", "", 0755},
                                 {"var/run/act/HEAD", '0', "head"},
                                 {"var/run/act/link", '1', "", "var/run/act/HEAD"}}));
  const auto result = build("FROM scratch\nADD root.tar /\nADD payload.tar /\n");
  EXPECT_EQ(at(result, "var/run"), "l -> /run");
  EXPECT_EQ(text_of(result, "run/act/HEAD"), "head");
  const auto tree = tree_of(result);
  EXPECT_EQ(tree.find("run/act/link")->path_in_layer, tree.find("run/act/HEAD")->path_in_layer);
}

TEST_F(CopyTest, LinksInsideOfAnArchiveCantLeaveTheImage) {
  write("t.tar", make_tar({{"up", '2', "", "../../../../outside"}, {"up/f", '0', "x"}}));
  const auto result = build("FROM scratch\nADD t.tar /o/\n");
  EXPECT_EQ(at(result, "outside/f"), "f 644 0:0");
}

TEST_F(CopyTest, HardLinksAndRepeatedMembersOfAnArchive) {
  write(
      "t.tar",
      make_tar(
          {{"a", '0', "first"}, {"b", '1', "", "a"}, {"s", '2', "", "a"}, {"t", '1', "", "s"}, {"a", '0', "second"}}));
  const auto result = build("FROM scratch\nADD t.tar /\n");
  EXPECT_EQ(text_of(result, "a"), "second");
  EXPECT_EQ(text_of(result, "b"), "first");
  EXPECT_EQ(at(result, "t"), "l -> a");
}

TEST_F(CopyTest, HostileAndDamagedArchivesAreErrors) {
  const std::vector<std::pair<std::string, const char*>> table = {
      {make_tar({{"a", '0', "x"}, {"../f", '0', "x"}}), "\"..\""},
      {make_tar({{"a", '0', "x"}, {"d/.wh.gone", '0', ""}}), "names that start with \".wh.\""},
      {make_tar({{"a", '0', "x"}, {".wh..wh..opq", '0', ""}}), "names that start with \".wh.\""},
      {make_tar({{"a", '0', "x"}, {"b", '1', "", "nothing"}}), "no earlier file of the archive"},
      {make_tar({{"a", '0', std::string(4000, 'x')}}).substr(0, 2000), "Truncated"},
  };
  for (const auto& [tar, message] : table) {
    write("t.tar", tar);
    const auto error = build_error("FROM scratch\nADD t.tar /o/\n");
    EXPECT_THAT(std::string(error.what()), ::testing::ContainsRegex(message));
    EXPECT_THAT(error.what(), HasSubstr("unpack t.tar"));
    EXPECT_EQ(error.span()->first_line, 2);
  }
}

TEST_F(CopyTest, TimesOfAnArchiveAreClamped) {
  write("t.tar", make_tar({{"old", '0', "x", "", 0644, 0, 0, 1000}, {"new", '0', "x", "", 0644, 0, 0, 1800000000}}));
  const auto tree = tree_of(build("FROM scratch\nADD t.tar /\n"));
  EXPECT_EQ(tree.find("old")->metadata.mtime, 1000);
  EXPECT_EQ(tree.find("new")->metadata.mtime, request_.source_date_epoch);
  request_.preserve_timestamps = true;
  const auto kept = tree_of(build("FROM scratch\nADD t.tar /\n"));
  EXPECT_EQ(kept.find("new")->metadata.mtime, 1800000000);
}

TEST_F(CopyTest, ArchivesOfAWildcardAndFilesMix) {
  write("one.tar", make_tar({{"a", '0', "a"}}));
  write("two.tar", make_tar({{"b", '0', "b"}}));
  write("three.txt", "c");
  const auto result = build("FROM scratch\nADD *.tar three.txt /o\n");
  EXPECT_EQ(text_of(result, "o/a"), "a");
  EXPECT_EQ(text_of(result, "o/b"), "b");
  EXPECT_EQ(text_of(result, "o/three.txt"), "c");
}

TEST_F(CopyTest, AddOfAnUnchangedArchiveIsCached) {
  write("t.tar", make_tar({{"a", '0', "a"}}));
  build("FROM scratch\nADD t.tar /o\n");
  build("FROM scratch\nADD t.tar /o\n");
  EXPECT_EQ(outcome("[stage-0 1/1] ADD t.tar /o"), StepOutcome::cached);
}

TEST_F(CopyTest, LinkedArchiveIsALayerOfItsOwn) {
  write("t.tar", make_tar({{"bin/a", '0', "a"}}));
  write("base", "1");
  build("FROM scratch\nCOPY base /base\nADD --link t.tar /\n");
  write("base", "2");
  build("FROM scratch\nCOPY base /base\nADD --link t.tar /\n");
  EXPECT_EQ(outcome("[stage-0 2/2] ADD --link t.tar /"), StepOutcome::cached);
}

}  // namespace
}  // namespace tektii::builder
