#include "layer/support.hpp"
#include <tektii/layer/snapshots.hpp>
#include <tektii/util/compress.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::layer {
namespace {

using namespace testing;
using ::testing::HasSubstr;

// Rows 47 to 49 of the table of faults: what a hostile layer does to the one who reads it. What such members do to a
// directory is in the tests that unpack.
class FaultTable : public ::testing::Test {
 protected:
  LayerIndex read(const oci::Layer& layer) { return snapshots_.index(layer, {}); }
  std::vector<std::string> lines(const std::string& tar) { return describe(read(add_layer(store_, tar))); }
  std::string error(const std::string& tar) {
    return error_of([&] { read(add_layer(store_, tar)); });
  }
  // A layer whose blob is these bytes, and whose tar has this diff_id.
  oci::Layer layer_of(const std::string& blob, const oci::Digest& diff_id) {
    const auto digest = store_.add(blob);
    return {{"application/vnd.oci.image.layer.v1.tar+gzip", digest, blob.size()}, diff_id};
  }
  std::string error_of_blob(const std::string& blob, const std::string& tar) {
    return error_of([&] { read(layer_of(blob, oci::Digest::of_bytes(tar))); });
  }
  static std::string compressed(const std::string& bytes, Compression type) {
    StringSink sink;
    const auto compressor = make_compressor({type, 1, 1}, sink);
    compressor->write(as_byte_span(bytes));
    compressor->finish();
    return sink.take();
  }

  MemoryStore store_;
  TempDir root_;
  Snapshots snapshots_{root_.path(), store_};
};

const std::string k_good = raw_tar({{.name = "a", .body = "content"}});

TEST_F(FaultTable, Row47_NamesStayInside) {
  for (const char* name : {"../x", "a/../../x", "a/..", "..", "a/../x"}) {
    EXPECT_THAT(error(raw_tar({{.name = name, .body = "x"}})), HasSubstr("..")) << name;
  }
  EXPECT_EQ(lines(raw_tar({{.name = "/etc/x"}, {.name = "./y"}, {.name = "//z"}})),
            (std::vector<std::string>{"f 644 0:0 0 etc/x", "f 644 0:0 0 y", "f 644 0:0 0 z"}));
}

TEST_F(FaultTable, Row47_HardLinksStayInside) {
  EXPECT_THAT(error(raw_tar({{.name = "l", .type = '1', .link = "../../etc/shadow"}})), HasSubstr(".."));
  EXPECT_THAT(error(raw_tar({{.name = "l", .type = '1', .link = "l"}})), HasSubstr("itself"));
  EXPECT_THAT(error(raw_tar({{.name = "l", .type = '1', .link = "/"}})), HasSubstr("root"));
  // An absolute one is one of the layer.
  EXPECT_EQ(lines(raw_tar({{.name = "a"}, {.name = "l", .type = '1', .link = "/a"}})).back(), "h l => a");
}

TEST_F(FaultTable, Row47_WhiteoutsOfNothingOrOfParents) {
  for (const char* name : {".wh.", ".wh..", ".wh...", "a/.wh.", "a/.wh...", ".wh.a/b"}) {
    EXPECT_THAT(error(raw_tar({{.name = name}})), HasSubstr("whiteout")) << name;
  }
  EXPECT_EQ(lines(raw_tar({{.name = ".wh.a"}, {.name = "b/.wh..wh..opq"}, {.name = ".wh..wh.plnk"}})),
            (std::vector<std::string>{"w a", "o b"}));
}

TEST_F(FaultTable, Row47_PaxOverridesAreHeldToTheSameRules) {
  EXPECT_THAT(error(raw_tar({{.name = "fine", .pax = {{"path", "../evil"}}}})), HasSubstr(".."));
  EXPECT_THAT(error(raw_tar({{.name = "l", .type = '1', .link = "a", .pax = {{"linkpath", "../../evil"}}}})),
              HasSubstr(".."));
  EXPECT_THAT(error(raw_tar({{.name = "a", .pax = {{"uid", "-1"}}}})), HasSubstr("a"));
  EXPECT_EQ(lines(raw_tar({{.name = "fine", .pax = {{"path", "/other/name"}}}})),
            std::vector<std::string>{"f 644 0:0 0 other/name"});
}

TEST_F(FaultTable, Row47_NamesEndAtANul) {
  const auto found = lines(raw_tar({{.name = std::string("a\0/../b", 7)}}));
  EXPECT_EQ(found, std::vector<std::string>{"f 644 0:0 0 a"});
}

// Of a million the tests of the index tell; here it is that memory and time follow their number.
TEST_F(FaultTable, Row47_ManyEntries) {
  std::vector<RawMember> members;
  constexpr std::size_t k_count = 50'000;
  for (std::size_t i = 0; i < k_count; ++i) members.push_back({.name = fmt::format("d{}/f{}", i % 100, i)});
  EXPECT_EQ(read(add_layer(store_, raw_tar(members))).entries.size(), k_count);
}

TEST_F(FaultTable, Row48_AGzipOfAThousandToOneIsReadInItsStride) {
  std::string tar = raw_tar({{.name = "zeros", .body = std::string(64 << 20, '\0')}});
  const auto blob = compressed(tar, Compression::gzip);
  ASSERT_LT(blob.size() * 200, tar.size());
  const auto layer = layer_of(blob, oci::Digest::of_bytes(tar));
  tar.clear();
  EXPECT_EQ(describe(read(layer)), std::vector<std::string>{fmt::format("f 644 0:0 {} zeros", 64 << 20)});
}

TEST_F(FaultTable, Row48_NestedCompressionIsNoTar) {
  const auto inner = compressed(k_good, Compression::gzip);
  for (const auto type : {Compression::gzip, Compression::zstd}) {
    const auto outer = compressed(inner, type);
    EXPECT_THAT(error_of([&] { read(layer_of(outer, oci::Digest::of_bytes(inner))); }), HasSubstr("not a valid tar"));
  }
}

TEST_F(FaultTable, Row48_AZstdWindowOf8GiB) {
  // A frame header that asks for it: magic, descriptor without a content size, window descriptor of 2^33.
  std::string frame = "\x28\xb5\x2f\xfd";
  frame += '\0';
  frame += static_cast<char>((33 - 10) << 3);
  frame += std::string("\x01\x00\x00", 3);  // an empty last block
  EXPECT_THAT(error_of_blob(frame, ""), HasSubstr("zstd"));
}

TEST_F(FaultTable, Row48_SizesThatLie) {
  // More than there is, more than a layer may have, and more than a number can say.
  EXPECT_NE(error(raw_tar({{.name = "a", .body = "x", .pax = {{"size", "1000000"}}}})), "no error");
  EXPECT_THAT(error(raw_tar({{.name = "a", .body = "x", .pax = {{"size", "9000000000000000"}}}})), HasSubstr("1 TiB"));
  EXPECT_NE(error(raw_tar({{.name = "a", .body = "x", .pax = {{"size", "99999999999999999999"}}}})), "no error");
  EXPECT_NE(error(raw_tar({{.name = "a", .body = "x", .pax = {{"size", "-1"}}}})), "no error");
  // The sum counts, not each one: 600 GiB twice.
  const std::string half = "644245094400";
  const auto sparse = [&](const std::string& name) {
    const std::map<std::string, std::string> pax = {
        {"GNU.sparse.major", "1"}, {"GNU.sparse.minor", "0"}, {"GNU.sparse.name", name}, {"GNU.sparse.realsize", half}};
    const std::string map = "0\n";
    return RawMember{.name = name, .body = map + std::string(512 - map.size(), '\0'), .pax = pax};
  };
  EXPECT_EQ(error(raw_tar({sparse("a")})), "no error");
  EXPECT_THAT(error(raw_tar({sparse("a"), sparse("b")})), HasSubstr("1 TiB"));
}

TEST_F(FaultTable, Row49_SeveralMembersAndPaddingAreOneStream) {
  const auto half = k_good.size() / 2;
  const auto blob =
      compressed(k_good.substr(0, half), Compression::gzip) + compressed(k_good.substr(half), Compression::gzip);
  for (const auto& padding : {std::string(), std::string(700, '\0')}) {
    EXPECT_EQ(describe(read(layer_of(blob + padding, oci::Digest::of_bytes(k_good)))).size(), 1U);
  }
}

TEST_F(FaultTable, Row49_TrailingBytesAndTruncation) {
  const auto blob = compressed(k_good, Compression::gzip);
  EXPECT_THAT(error_of_blob(blob + "garbage", k_good), HasSubstr("after the end"));
  for (const std::size_t cut : {std::size_t{1}, std::size_t{8}, blob.size() / 2}) {
    EXPECT_THAT(error_of_blob(blob.substr(0, blob.size() - cut), k_good), HasSubstr("truncated")) << cut;
  }
  const auto zstd = compressed(k_good, Compression::zstd);
  EXPECT_NE(error_of_blob(zstd.substr(0, zstd.size() - 3), k_good), "no error");
}

TEST_F(FaultTable, Row49_AnotherContentThanTheDiffId) {
  EXPECT_THAT(error_of_blob(compressed(k_good, Compression::gzip), "other"), HasSubstr("does not match its diff_id"));
  EXPECT_FALSE(snapshots_.has_index(oci::Digest::of_bytes("other")));
}

}  // namespace
}  // namespace tektii::layer
