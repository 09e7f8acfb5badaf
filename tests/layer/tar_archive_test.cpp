#include "layer/support.hpp"
#include <tektii/layer/tar_archive.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/process.hpp>

#include <gmock/gmock.h>

namespace tektii::layer {
namespace {

using ::testing::HasSubstr;
using testing::raw_tar;

class TarArchiveTest : public ::testing::Test {
 protected:
  bool is_archive(const std::string& bytes) {
    StringSource source(bytes);
    return is_tar_archive(source);
  }
  std::vector<ArchiveMember> spool(const std::string& bytes) {
    StringSource source(bytes);
    return spool_tar_archive(source, directory_.path(), {});
  }
  static std::string text_of(const ArchiveMember& member) { return read_all(*member.open()); }

  TempDir directory_;
};

TEST_F(TarArchiveTest, ReadsMembersAndTheirContent) {
  const auto members = spool(raw_tar({{"./", '5'}, {"./a", '0', "one"}, {"b/c", '0', std::string(300000, 'x')}}));
  ASSERT_EQ(members.size(), 2U);
  EXPECT_EQ(members[0].path, "a");
  EXPECT_EQ(text_of(members[0]), "one");
  EXPECT_EQ(members[1].path, "b/c");
  EXPECT_EQ(text_of(members[1]), std::string(300000, 'x'));
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(TarArchiveTest, CompressionIsToldByTheContent) {
  const auto tar = raw_tar({{"a", '0', "one"}});
  for (const std::string tool : {"gzip", "bzip2", "xz", "zstd"}) {
    write_file_atomic(directory_.path() / "t", tar);
    const auto command = fmt::format("command -v {0} >/dev/null || exit 77; {0} -c < '{1}/t' > '{1}/c'", tool,
                                     directory_.path().string());
    const int status = std::system(command.c_str());
    if (status != 0) continue;  // the tool is not on every machine
    const auto compressed = read_file(directory_.path() / "c");
    EXPECT_TRUE(is_archive(compressed)) << tool;
    EXPECT_EQ(text_of(spool(compressed).at(0)), "one") << tool;
  }
}

TEST_F(TarArchiveTest, OtherFilesAreNoArchives) {
  EXPECT_TRUE(is_archive(raw_tar({{"a", '0', "one"}})));
  EXPECT_FALSE(is_archive(""));
  EXPECT_FALSE(is_archive("text"));
  EXPECT_FALSE(is_archive(std::string(10240, '\0')));
  EXPECT_FALSE(is_archive(std::string("\x1f\x8b\x08garbage")));
  EXPECT_FALSE(is_archive(std::string("PK\x03\x04 a zip")));
}

TEST_F(TarArchiveTest, FailureToReadIsNoAnswer) {
  class Failing : public ByteSource {
    std::size_t read(std::span<std::byte>) override { throw Error(ErrorKind::failure, "disk on fire"); }
  } source;
  EXPECT_THAT(testing::error_of([&] { is_tar_archive(source); }), HasSubstr("disk on fire"));
}

TEST_F(TarArchiveTest, HardLinksNameTheirFile) {
  const auto members = spool(raw_tar({{"a", '0', "one"}, {"b", '1', "", "a"}, {"c", '1', "", "./b"}}));
  EXPECT_FALSE(members[0].hard_link_of);
  EXPECT_EQ(members[1].hard_link_of, 0U);
  EXPECT_EQ(members[2].hard_link_of, 0U);
  EXPECT_EQ(text_of(members[2]), "one");
}

TEST_F(TarArchiveTest, RefusesWhatNoLayerCanHold) {
  EXPECT_THAT(testing::error_of([&] { spool(raw_tar({{"a/.wh.b", '0'}})); }), HasSubstr(".wh."));
  EXPECT_THAT(testing::error_of([&] { spool(raw_tar({{"a/../../b", '0'}})); }), HasSubstr(".."));
  EXPECT_THAT(testing::error_of([&] { spool(raw_tar({{"b", '1', "", "a"}})); }), HasSubstr("no earlier file"));
  EXPECT_THAT(testing::error_of([&] {
                spool(raw_tar({{"d", '5'}, {"b", '1', "", "d"}}));
              }),
              HasSubstr("no earlier file"));
}

TEST_F(TarArchiveTest, AttributesOfOverlayfsAreDropped) {
  const auto members = spool(
      raw_tar({{.name = "a", .pax = {{"SCHILY.xattr.user.overlay.redirect", "x"}, {"SCHILY.xattr.user.mine", "y"}}}}));
  EXPECT_EQ(members.at(0).metadata.xattrs, (std::map<std::string, std::string>{{"user.mine", "y"}}));
}

TEST_F(TarArchiveTest, StopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  StringSource source(raw_tar({{"a", '0', "one"}}));
  EXPECT_THAT(testing::error_of([&] { spool_tar_archive(source, directory_.path(), stop.get_token()); }),
              HasSubstr("interrupted"));
}

}  // namespace
}  // namespace tektii::layer
