#include <tektii/util/error.hpp>
#include <tektii/util/hash.hpp>
#include <tektii/util/stream.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace tektii {
namespace {

// Hands out at most three bytes at a time, as a socket may.
class DrippingSource : public ByteSource {
 public:
  explicit DrippingSource(std::string text) : inner_(std::move(text)) {}
  std::size_t read(std::span<std::byte> out) override {
    return inner_.read(out.subspan(0, std::min<std::size_t>(out.size(), 3)));
  }

 private:
  StringSource inner_;
};

TEST(Stream, ReadFullFillsAcrossShortReadsAndStopsAtTheEnd) {
  DrippingSource source("0123456789");
  std::array<std::byte, 7> head{};
  EXPECT_EQ(read_full(source, head), 7U);
  EXPECT_EQ(std::to_integer<char>(head[6]), '6');
  std::array<std::byte, 7> rest{};
  EXPECT_EQ(read_full(source, rest), 3U);
}

TEST(Stream, CopyCountsBytesAndDoesNotFinish) {
  DrippingSource source(std::string(1000, 'x'));
  StringSink sink;
  EXPECT_EQ(copy_stream(source, sink), 1000U);
  EXPECT_EQ(sink.str(), std::string(1000, 'x'));
}

TEST(Stream, CopyStopsOnRequest) {
  std::stop_source stop;
  stop.request_stop();
  StringSource source("data");
  StringSink sink;
  try {
    copy_stream(source, sink, stop.get_token());
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
}

TEST(Stream, LimitsHold) {
  StringSource exact("12345");
  EXPECT_EQ(read_all(exact, 5), "12345");
  StringSource longer("123456");
  EXPECT_THROW(read_all(longer, 5), Error);
}

TEST(Stream, TeeWritesToBoth) {
  StringSink first;
  StringSink second;
  TeeSink tee(first, second);
  tee.write(as_byte_span("ab"));
  tee.write(as_byte_span("c"));
  tee.finish();
  EXPECT_EQ(first.str(), "abc");
  EXPECT_EQ(second.str(), "abc");
}

TEST(Hash, KnownAnswers) {
  EXPECT_EQ(Sha256::hex_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256::hex_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256().update("a").update("bc").finish_hex(), Sha256::hex_of("abc"));
}

TEST(Hash, FieldsAreSeparated) {
  const auto first = Sha256().update_field("ab").update_field("c").finish_hex();
  const auto second = Sha256().update_field("a").update_field("bc").finish_hex();
  EXPECT_NE(first, second);
  // The length is eight bytes, little endian: part of every cache key, so it may not change.
  EXPECT_EQ(Sha256().update_field("ab").finish_hex(), Sha256::hex_of(std::string("\2\0\0\0\0\0\0\0ab", 10)));
}

TEST(Hash, SinkPassesOnCountsAndHashes) {
  StringSink inner;
  HashingSink sink(inner);
  sink.write(as_byte_span("ab"));
  sink.write(as_byte_span("c"));
  EXPECT_EQ(inner.str(), "abc");
  EXPECT_EQ(sink.size(), 3U);
  EXPECT_EQ(sink.finish_hex(), Sha256::hex_of("abc"));
}

}  // namespace
}  // namespace tektii
