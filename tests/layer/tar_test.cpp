#include "layer/support.hpp"
#include "layer/tar_encoder.hpp"
#include "layer/tar_reader.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/hash.hpp>
#include <tektii/util/process.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace tektii::layer {
namespace {

using testing::directory_metadata;
using testing::error_of;
using testing::file_metadata;
using ::testing::HasSubstr;
using testing::raw_tar;
using testing::symlink_metadata;

struct Sample {
  std::string path;
  fs::FileMetadata metadata;
  std::string body = {};
};

fs::FileMetadata with(fs::FileMetadata metadata, const std::function<void(fs::FileMetadata&)>& change) {
  change(metadata);
  return metadata;
}

std::vector<Sample> samples() {
  using fs::FileMetadata;
  using fs::FileType;
  const std::string long_name = std::string(90, 'a') + "/" + std::string(200, 'b');
  return {
      {"dir", directory_metadata(01777)},
      {"dir/empty", file_metadata(0)},
      {"dir/file", file_metadata(5, 04755), "hello"},
      {"dir/block", file_metadata(512), std::string(512, 'x')},
      {"dir/r\xc3\xa9sum\xc3\xa9", file_metadata(1), "u"},
      {"dir/decomposed-e\xcc\x81", file_metadata(1), "d"},
      {"dir/latin-\xe9", file_metadata(1), "l"},
      {long_name, file_metadata(2), "hi"},
      {long_name + "-dir", directory_metadata()},
      {std::string(100, 'n'), file_metadata(0)},
      {std::string(100, 'd'), directory_metadata()},  // 101 with its slash
      {"link", symlink_metadata("dir/file")},
      {"long-link", symlink_metadata(std::string(300, 't'))},
      {"non-ascii-link", symlink_metadata("\xc3\xa9\xff")},
      {"null", with(file_metadata(0, 0666),
                    [](FileMetadata& m) {
                      m.type = FileType::char_device;
                      m.device_major = 1;
                      m.device_minor = 3;
                    })},
      {"disk", with(file_metadata(0, 0660),
                    [](FileMetadata& m) {
                      m.type = FileType::block_device;
                      m.device_major = 259;
                      m.device_minor = 70000;
                    })},
      {"fifo", with(file_metadata(0, 0600), [](FileMetadata& m) { m.type = FileType::fifo; })},
      {"huge-ids", with(file_metadata(0), [](FileMetadata& m) { m.uid = 3000000, m.gid = 4294967294; })},
      {"old", with(file_metadata(0), [](FileMetadata& m) { m.mtime = -86400; })},
      {"far", with(file_metadata(0), [](FileMetadata& m) { m.mtime = 0777777777777 + 1; })},
      {"caps", with(file_metadata(0),
                    [](FileMetadata& m) {
                      m.xattrs["user.z"] = "";
                      m.xattrs["security.capability"] = std::string(
                          "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\n=\x00\x00\x00\x00\x00\x00", 20);
                    })},
  };
}

std::string encode(const std::vector<Sample>& list) {
  StringSink sink;
  TarEncoder encoder(sink);
  for (const Sample& sample : list) {
    encoder.add(sample.path, sample.metadata);
    if (!sample.body.empty()) encoder.write_content(as_byte_span(sample.body));
  }
  encoder.end();
  return sink.take();
}

std::string read_body(TarReader& reader) {
  std::string body;
  reader.read_content([&](std::uint64_t offset, ByteSpan data) {
    body.resize(static_cast<std::size_t>(offset), '\0');
    body.append(reinterpret_cast<const char*>(data.data()), data.size());
  });
  return body;
}

std::vector<TarMember> read_members(const std::string& tar) {
  StringSource source(tar);
  TarReader reader(source);
  std::vector<TarMember> members;
  TarMember member;
  while (reader.next(member)) members.push_back(member);
  return members;
}

// The format is part of every digest: these bytes may only change together with the version of the layer format.
TEST(TarEncoder, BytesOfAPlainFileAreFixed) {
  const std::string tar = encode({{"etc/motd", file_metadata(3, 0644, 1700000000), "hi\n"}});
  ASSERT_EQ(tar.size(), 512U + 512U + 1024U);
  std::string expected(512, '\0');
  const auto put = [&expected](std::size_t offset, std::string_view text) {
    expected.replace(offset, text.size(), text);
  };
  put(0, "etc/motd");
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, "00000000003");
  put(136, "14524770400");
  put(148, std::string_view("010034\0 ", 8));
  put(156, "0");
  put(257, std::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i) {
    sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(expected[i]);
  }
  char checksum[8];
  std::snprintf(checksum, sizeof checksum, "%06o", sum);
  put(148, std::string_view(checksum, 6));
  EXPECT_EQ(tar.substr(0, 512), expected);
  EXPECT_EQ(tar.substr(512, 3), "hi\n");
  EXPECT_EQ(tar.substr(515), std::string(509 + 1024, '\0'));
}

TEST(TarEncoder, BytesOfEveryKindAreFixed) {
  EXPECT_EQ(Sha256::hex_of(encode(samples())), "e18123cbeaf1a8010b0acdb7c13defd8e7ff28d741d128e2423c0c5d99f67a51");
}

TEST(TarEncoder, PaxRecordCountsItsOwnDigits) {
  // 97 bytes of value make a record of 99 + 3 digits: the length field grows by the digit it adds.
  for (std::size_t size = 80; size < 120; ++size) {
    const std::string target(size, 'x');
    const std::string tar = encode({{"l", with(symlink_metadata(target), [](auto& m) { m.link_target += "\xff"; })}});
    const std::string body = tar.substr(512, tar.find('\n', 512) + 1 - 512);
    EXPECT_EQ(std::to_string(body.size()), body.substr(0, body.find(' ')));
  }
}

TEST(TarEncoder, RefusesWhatATarCannotSay) {
  struct Case {
    fs::FileMetadata metadata;
    const char* message;
  };
  const Case cases[] = {
      {with(file_metadata(0), [](auto& m) { m.type = fs::FileType::socket; }), "socket"},
      {with(file_metadata(0), [](auto& m) { m.xattrs["user.a=b"] = "1"; }), "user.a=b"},
      {with(file_metadata(0),
            [](auto& m) {
              m.type = fs::FileType::block_device;
              m.device_minor = 1U << 22U;
            }),
       "device number"},
      {with(symlink_metadata(std::string("a\0b", 3)), [](auto&) {}), "NUL"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(error_of([&] { encode({{"x", c.metadata}}); }), HasSubstr(c.message));
  }
}

TEST(TarEncoder, LibarchiveReadsItBack) {
  const std::vector<Sample> list = samples();
  const std::string tar = encode(list);
  // The locale must not change a byte of a name, and must be left as it was.
  for (const char* locale : {"C", "C.UTF-8"}) {
    ASSERT_NE(std::setlocale(LC_ALL, locale), nullptr);
    StringSource source(tar);
    TarReader reader(source);
    TarMember member;
    for (const Sample& sample : list) {
      ASSERT_TRUE(reader.next(member)) << sample.path;
      const bool is_directory = sample.metadata.type == fs::FileType::directory;
      EXPECT_EQ(member.name, sample.path + (is_directory ? "/" : ""));
      EXPECT_EQ(member.metadata, sample.metadata) << sample.path;
      EXPECT_EQ(read_body(reader), sample.body);
    }
    EXPECT_FALSE(reader.next(member));
    EXPECT_STREQ(std::setlocale(LC_ALL, nullptr), locale);
  }
  std::setlocale(LC_ALL, "C");
}

TEST(TarEncoder, SizesAbove8GiBGoIntoPax) {
  // Only the header is read back.
  StringSink sink;
  TarEncoder encoder(sink);
  encoder.add("big", file_metadata(std::uint64_t{9} << 30U));
  const std::vector<std::byte> chunk(std::size_t{1} << 20U);
  encoder.write_content(chunk);
  EXPECT_THAT(sink.str(), HasSubstr("size=9663676416\n"));
  StringSource source(sink.str());
  TarReader reader(source);
  TarMember member;
  ASSERT_TRUE(reader.next(member));
  EXPECT_EQ(member.metadata.size, std::uint64_t{9} << 30U);
}

TEST(TarEncoder, OtherToolsReadIt) {
  const TempDir directory;
  const std::filesystem::path file = directory.path() / "a.tar";
  std::ofstream(file, std::ios::binary) << encode(samples());
  const std::string tar = "tar --numeric-owner -tvf " + file.string() + " > " + (directory.path() / "list").string() +
                          " 2> " + (directory.path() / "err").string();
  if (std::system("command -v tar > /dev/null") != 0) GTEST_SKIP() << "tar is not installed";
  ASSERT_EQ(std::system(tar.c_str()), 0) << read_file(directory.path() / "err");
  const std::string list = read_file(directory.path() / "list");
  EXPECT_THAT(list, HasSubstr("drwxrwxrwt 0/0"));
  EXPECT_THAT(list, HasSubstr("-rwsr-xr-x 0/0 "));
  EXPECT_THAT(list, HasSubstr("3000000/4294967294"));
  EXPECT_THAT(list, HasSubstr("1969-12-31"));
  EXPECT_THAT(list, HasSubstr(std::string(200, 'b')));
  EXPECT_THAT(list, HasSubstr("259,70000"));
  EXPECT_EQ(read_file(directory.path() / "err"), "");
}

TEST(TarReader, ReadsNoBytesAndNoMembersAsAnEmptyTar) {
  EXPECT_TRUE(read_members("").empty());
  EXPECT_TRUE(read_members(std::string(1024, '\0')).empty());
  EXPECT_TRUE(read_members(std::string(10240, '\0')).empty());
}

TEST(TarReader, PaxPathOverridesTheHeader) {
  const std::vector<TarMember> members = read_members(raw_tar({{.name = "harmless", .pax = {{"path", "other/name"}}}}));
  ASSERT_EQ(members.size(), 1U);
  EXPECT_EQ(members[0].name, "other/name");
}

TEST(TarReader, ReadsGnuLongNamesAndSparseFiles) {
  if (std::system("tar --version 2>&1 | grep -q GNU") != 0) GTEST_SKIP() << "GNU tar is not installed";
  const TempDir directory;
  const std::string dir = directory.path().string();
  const std::string name = std::string(150, 'n') + "\xe9";
  const std::string command = "cd '" + dir + "' && truncate -s 3M '" + name + "' && printf tail >> '" + name + "'";
  ASSERT_EQ(std::system(command.c_str()), 0);
  for (const char* options : {"--format=gnu", "--format=posix", "--format=posix --sparse-version=0.1"}) {
    const std::string make = "cd '" + dir + "' && tar " + options + " -S -cf a.tar '" + name + "'";
    ASSERT_EQ(std::system(make.c_str()), 0);
    const std::string tar = read_file(directory.path() / "a.tar");
    EXPECT_LT(tar.size(), 1U << 20U);
    StringSource source(tar);
    TarReader reader(source);
    TarMember member;
    ASSERT_TRUE(reader.next(member)) << options;
    EXPECT_EQ(member.name, name) << options;
    EXPECT_EQ(member.metadata.size, (3U << 20U) + 4) << options;
    std::uint64_t end = 0;
    std::string tail;
    reader.read_content([&](std::uint64_t offset, ByteSpan data) {
      end = offset + data.size();
      tail.assign(reinterpret_cast<const char*>(data.data()), data.size());
    });
    EXPECT_EQ(end, (3U << 20U) + 4) << options;
    EXPECT_TRUE(tail.ends_with("tail")) << options;
  }
}

TEST(TarReader, RefusesDamage) {
  const std::string tar = encode({{"a", file_metadata(2000), std::string(2000, 'x')}});
  EXPECT_THAT(error_of([&] { read_members(tar.substr(0, 300)); }), HasSubstr("not a valid tar"));
  EXPECT_THAT(error_of([&] { read_members("this is no tar" + std::string(2000, 'z')); }), HasSubstr("not a valid tar"));
  EXPECT_THAT(error_of([&] {
                StringSource source(tar.substr(0, 1024));
                TarReader reader(source);
                TarMember member;
                reader.next(member);
                read_body(reader);
              }),
              HasSubstr("at or after entry \"a\""));
  std::string bad_checksum = encode({{"a", file_metadata(0)}, {"b", file_metadata(0)}});
  bad_checksum[512 + 20] = 'x';
  EXPECT_THAT(error_of([&] { read_members(bad_checksum); }), HasSubstr("not a valid tar"));
}

TEST(TarReader, PassesOnErrorsOfTheSource) {
  class Failing : public ByteSource {
   public:
    std::size_t read(std::span<std::byte>) override { throw Error(ErrorKind::network, "connection lost"); }
  };
  Failing source;
  try {
    TarReader reader(source);
    TarMember member;
    reader.next(member);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::network);
    EXPECT_STREQ(error.what(), "connection lost");
  }
}

}  // namespace
}  // namespace tektii::layer
