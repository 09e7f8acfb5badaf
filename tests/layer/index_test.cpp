#include "layer/support.hpp"
#include <tektii/layer/layer_index.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/hash.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>

namespace tektii::layer {
namespace {

using namespace testing;

LayerIndex sample() {
  LayerIndex index;
  index.entries.push_back(entry_of("etc", directory_metadata()));
  LayerEntry passwd = entry_of("etc/passwd", file_metadata(3));
  passwd.content = "abc";
  passwd.metadata.xattrs = {{"user.a", std::string("\0x", 2)}, {"security.capability", ""}};
  passwd.metadata.uid = 4294967294;
  passwd.metadata.mtime = -5;
  index.entries.push_back(passwd);
  index.entries.push_back(entry_of("etc/pass", symlink_metadata("passwd")));
  fs::FileMetadata device = file_metadata(0);
  device.type = fs::FileType::char_device;
  device.device_major = 5;
  device.device_minor = 1 << 20;
  index.entries.push_back(entry_of("dev/console", device));
  LayerEntry link;
  link.kind = LayerEntry::Kind::hard_link;
  link.path = "etc/passwd-";
  link.hard_link_target = "etc/passwd";
  index.entries.push_back(link);
  index.entries.push_back(whiteout_of("var/cache/x"));
  LayerEntry opaque;
  opaque.kind = LayerEntry::Kind::opaque;
  opaque.path = "var/lib";
  index.entries.push_back(opaque);
  return index;
}

void expect_equal(const LayerIndex& a, const LayerIndex& b) {
  ASSERT_EQ(a.entries.size(), b.entries.size());
  for (std::size_t i = 0; i < a.entries.size(); ++i) {
    EXPECT_EQ(a.entries[i].kind, b.entries[i].kind);
    EXPECT_EQ(a.entries[i].path, b.entries[i].path);
    EXPECT_EQ(a.entries[i].metadata, b.entries[i].metadata) << a.entries[i].path;
    EXPECT_EQ(a.entries[i].hard_link_target, b.entries[i].hard_link_target);
    EXPECT_EQ(a.entries[i].content, b.entries[i].content);
  }
}

TEST(LayerIndex, RoundTrip) {
  LayerIndex sorted = sample();
  std::sort(sorted.entries.begin(), sorted.entries.end(),
            [](const LayerEntry& a, const LayerEntry& b) { return a.path < b.path; });
  expect_equal(LayerIndex::parse(sample().serialise()), sorted);
  expect_equal(LayerIndex::parse(LayerIndex().serialise()), LayerIndex());
}

// What the members of a tar come to: the last of a name counts, and a file takes what was below it before.
TEST(LayerIndex, IsNormalised) {
  const auto kept = [](std::vector<LayerEntry> entries) {
    return describe(LayerIndex::parse(LayerIndex{std::move(entries)}.serialise()));
  };
  using ::testing::ElementsAre;
  EXPECT_THAT(kept({entry_of("b", file_metadata(1)), entry_of("a-b", file_metadata(1)),
                    entry_of("a", directory_metadata()), entry_of("a/x", file_metadata(1))}),
              ElementsAre("d 755 0:0 a", "f 644 0:0 1 a/x", "f 644 0:0 1 a-b", "f 644 0:0 1 b"));
  EXPECT_THAT(kept({entry_of("a", file_metadata(1)), entry_of("a", file_metadata(2))}), ElementsAre("f 644 0:0 2 a"));
  EXPECT_THAT(kept({entry_of("a/x/y", file_metadata(1)), entry_of("ab", file_metadata(1)), whiteout_of("a/z"),
                    entry_of("a", file_metadata(2))}),
              ElementsAre("f 644 0:0 2 a", "w a/z", "f 644 0:0 1 ab"));
  EXPECT_THAT(
      kept({entry_of("a", file_metadata(1)), entry_of("a", directory_metadata()), entry_of("a/x", file_metadata(1))}),
      ElementsAre("d 755 0:0 a", "o a", "f 644 0:0 1 a/x"));
  EXPECT_THAT(kept({whiteout_of("a"), whiteout_of("a"), entry_of("a", file_metadata(1))}),
              ElementsAre("f 644 0:0 1 a", "w a"));
}

TEST(LayerIndex, AnyDamageIsAnError) {
  const std::string good = sample().serialise();
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_THROW(LayerIndex::parse(good.substr(0, size)), Error) << size;
  }
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x41);
    EXPECT_THROW(LayerIndex::parse(bad), Error) << i;
  }
  EXPECT_THROW(LayerIndex::parse(good + "x"), Error);
}

// The checksum keeps accidents out; a body that lies in spite of it must be refused by its own checks.
TEST(LayerIndex, LyingBodyIsAnError) {
  const std::string good = sample().serialise();
  const std::size_t head = good.find('\n') + 1;
  const auto sealed = [&](const std::string& body) { return good.substr(0, head) + Sha256::hex_of(body) + body; };
  const std::string body = good.substr(head + 64);
  ASSERT_EQ(sealed(body), good);
  int refused = 0;
  for (std::size_t i = 0; i < body.size(); ++i) {
    for (const char value : {'\x00', '\x7f', '\x80', '\xff'}) {
      std::string bad = body;
      bad[i] = value;
      try {
        LayerIndex::parse(sealed(bad));
      } catch (const Error&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 50);
  const std::string huge("\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 9);
  EXPECT_THROW(LayerIndex::parse(sealed(huge)), Error);                            // a count without entries
  EXPECT_THROW(LayerIndex::parse(sealed(std::string("\x01\x00\x01", 3))), Error);  // a path from nothing
  EXPECT_THROW(LayerIndex::parse(sealed(std::string("\x01\x02\x00", 3) + huge)), Error);
  EXPECT_THROW(LayerIndex::parse(sealed(std::string(11, '\xff'))), Error);
}

TEST(LayerIndex, HalfAMillionEntriesAreFast) {
  LayerIndex index;
  for (int i = 0; i < 500000; ++i) {
    index.entries.push_back(
        entry_of("usr/lib/python3/dist-packages/p" + std::to_string(i / 100) + "/file" + std::to_string(i) + ".py",
                 file_metadata(static_cast<std::uint64_t>(i))));
  }
  const std::string text = index.serialise();
  EXPECT_LT(text.size(), 25U << 20U);
  const std::clock_t begin = std::clock();
  EXPECT_EQ(LayerIndex::parse(text).entries.size(), 500000U);
  // Of the processor's time, because machines are busy; generous, for sanitizers.
  EXPECT_LT((std::clock() - begin) / CLOCKS_PER_SEC, 5);
}

}  // namespace
}  // namespace tektii::layer
