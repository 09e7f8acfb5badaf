#include <tektii/util/compress.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/hash.hpp>

#include <gmock/gmock.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <random>

namespace tektii {
namespace {

constexpr std::size_t k_mebibyte = 1U << 20;

// Text-like, so that it compresses, and the same on every machine.
std::string sample(std::size_t size) {
  std::mt19937 random(7);
  std::string text;
  text.reserve(size + 16);
  while (text.size() < size) text += "line " + std::to_string(random() % 5000) + "\n";
  text.resize(size);
  return text;
}

std::string compress(const std::string& text, CompressionOptions options, std::size_t write_size = 70001) {
  StringSink sink;
  auto compressor = make_compressor(options, sink);
  for (std::size_t i = 0; i < text.size(); i += write_size)
    compressor->write(as_byte_span(std::string_view(text).substr(i, write_size)));
  compressor->finish();
  return sink.take();
}

std::string decompress(Compression type, std::string data) {
  auto source = make_decompressor(type, std::make_unique<StringSource>(std::move(data)));
  return read_all(*source);
}

std::string error_of(Compression type, std::string data) {
  try {
    decompress(type, std::move(data));
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

struct Case {
  Compression type;
  std::size_t size;
};

class RoundTrip : public testing::TestWithParam<Case> {};

TEST_P(RoundTrip, GivesTheInputBackWhateverTheThreadsAndWriteSizes) {
  const auto text = sample(GetParam().size);
  const auto type = GetParam().type;
  const auto reference = compress(text, {type, 1, 1});
  EXPECT_EQ(decompress(type, reference), text);
  EXPECT_EQ(detect_compression(as_byte_span(reference)), type);
  for (const unsigned threads : {2U, 5U}) {
    EXPECT_TRUE(compress(text, {type, 1, threads}) == reference) << threads << " threads";
    EXPECT_TRUE(compress(text, {type, 1, threads}, 3 * k_mebibyte + 1) == reference) << "large writes";
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, RoundTrip,
                         testing::Values(Case{Compression::gzip, 0}, Case{Compression::gzip, 1},
                                         Case{Compression::gzip, k_mebibyte - 1}, Case{Compression::gzip, k_mebibyte},
                                         Case{Compression::gzip, k_mebibyte + 1},
                                         Case{Compression::gzip, 17 * k_mebibyte + 12345}, Case{Compression::zstd, 0},
                                         Case{Compression::zstd, 1}, Case{Compression::zstd, 128U * 1024},
                                         Case{Compression::zstd, 5 * k_mebibyte + 7}));

// Layers are identified by these bytes: a change here changes the digest of every image.
TEST(Gzip, BytesAreFixed) {
  EXPECT_EQ(compress("", {Compression::gzip, 1, 1}),
            std::string("\x1f\x8b\x08\0\0\0\0\0\x04\xff\x01\0\0\xff\xff\0\0\0\0\0\0\0\0", 23));
  EXPECT_EQ(Sha256::hex_of(compress(sample(2 * k_mebibyte + 5), {Compression::gzip, 1, 2})),
            "7f3c9e290ec0037fe0276fe079b0f4703aa7dcfec33c1de27cc0ae6d9e1fd39d");
}

std::string noise(std::size_t size) {
  std::mt19937_64 random(3);
  std::string text(size, '\0');
  for (auto& c : text) c = static_cast<char>(random());
  return text;
}

TEST(Gzip, StoresWhatDoesNotShrink) {
  const auto text = noise(4 * k_mebibyte);
  const auto stored = compress(text, {Compression::gzip, 6, 2});
  EXPECT_EQ(decompress(Compression::gzip, stored), text);
  // A stored block of DEFLATE has at most 65535 bytes and a head of 5 (RFC 1951 section 3.2.4).
  EXPECT_EQ(stored.size(), 4 * (k_mebibyte + 17 * 5 + 18));
  // One sample that shrinks is enough to compress a block.
  const auto mixed = noise(k_mebibyte / 2) + sample(k_mebibyte / 2);
  EXPECT_LT(compress(mixed, {Compression::gzip, 1, 1}).size(), k_mebibyte * 3 / 4);
}

TEST(Gzip, MembersHoldOneMebibyteOfInputEach) {
  const auto data = compress(sample(3 * k_mebibyte), {Compression::gzip, 1, 2});
  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  std::string out(k_mebibyte, '\0');
  int members = 0;
  while (stream.avail_in != 0) {
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    ASSERT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
    EXPECT_EQ(stream.avail_out, 0U);
    ++members;
    inflateReset(&stream);
  }
  inflateEnd(&stream);
  EXPECT_EQ(members, 3);
}

TEST(Gzip, ReadsMembersPaddingAndNothingElse) {
  const auto one = compress("one,", {Compression::gzip, 6, 1});
  const auto two = compress("two", {Compression::gzip, 1, 1});
  EXPECT_EQ(decompress(Compression::gzip, one + two), "one,two");
  EXPECT_EQ(decompress(Compression::gzip, one + two + std::string(200000, '\0')), "one,two");
  EXPECT_THAT(error_of(Compression::gzip, one + "garbage"), testing::HasSubstr("after the end"));
  EXPECT_THAT(error_of(Compression::gzip, one + std::string(10, '\0') + "x"), testing::HasSubstr("after the end"));
  EXPECT_EQ(error_of(Compression::gzip, one + two.substr(0, 5)), "truncated gzip data");
}

TEST(Gzip, EveryTruncationIsNoticed) {
  const auto data = compress("some text that is compressed", {Compression::gzip, 1, 1});
  for (std::size_t length = 0; length < data.size(); ++length)
    EXPECT_EQ(error_of(Compression::gzip, data.substr(0, length)), "truncated gzip data") << length;
}

TEST(Gzip, CorruptDataIsNoticed) {
  auto data = compress(sample(10000), {Compression::gzip, 1, 1});
  data[data.size() - 6] = static_cast<char>(data[data.size() - 6] ^ 1);  // in the CRC
  EXPECT_THAT(error_of(Compression::gzip, data), testing::HasSubstr("corrupt gzip data"));
  EXPECT_THAT(error_of(Compression::gzip, "plain text, not gzip"), testing::HasSubstr("corrupt gzip data"));
}

TEST(Zstd, ReadsFramesSkippableFramesAndPadding) {
  const auto one = compress("one,", {Compression::zstd, 3, 1});
  const auto two = compress("two", {Compression::zstd, 1, 1});
  const std::string skippable("\x50\x2a\x4d\x18\x03\x00\x00\x00xyz", 11);
  EXPECT_EQ(decompress(Compression::zstd, skippable + one + two), "one,two");
  EXPECT_EQ(detect_compression(as_byte_span(skippable)), Compression::zstd);
  EXPECT_EQ(decompress(Compression::zstd, one + std::string(300000, '\0')), "one,");
  EXPECT_THAT(error_of(Compression::zstd, one + "garbage"), testing::HasSubstr("corrupt zstd data"));
}

TEST(Zstd, EveryTruncationIsNoticed) {
  const auto data = compress("some text that is compressed", {Compression::zstd, 1, 1});
  for (std::size_t length = 0; length < data.size(); ++length)
    EXPECT_EQ(error_of(Compression::zstd, data.substr(0, length)), "truncated zstd data") << length;
}

TEST(Zstd, RefusesAWindowThatIsABomb) {
  // Frame header: magic, descriptor without single segment, window descriptor of 2^31 bytes, then an empty last block.
  const std::string bomb("\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", 9);
  EXPECT_THAT(error_of(Compression::zstd, bomb), testing::HasSubstr("corrupt zstd data"));
}

TEST(Compressor, RefusesLevelsThatDoNotExist) {
  StringSink sink;
  EXPECT_THROW(make_compressor({Compression::gzip, 13, 1}, sink), Error);
  EXPECT_THROW(make_compressor({Compression::gzip, 0, 1}, sink), Error);
  EXPECT_THROW(make_compressor({Compression::zstd, 20, 1}, sink), Error);
}

TEST(Compressor, WorkersOfHighLevelsAreFew) {
  constexpr std::size_t k_budget = CompressionBudget::k_default;
  struct Row {
    Compression type;
    int level;
    std::size_t least_workers;
    std::size_t most_bytes_each;
  };
  for (const auto& row :
       {Row{Compression::gzip, 1, 32, 6 * k_mebibyte}, Row{Compression::gzip, 12, 12, 16 * k_mebibyte},
        Row{Compression::zstd, 3, 24, 8 * k_mebibyte}, Row{Compression::zstd, 19, 2, 96 * k_mebibyte}}) {
    const auto budget = std::make_shared<CompressionBudget>();
    StringSink sink;
    const auto one = make_compressor({row.type, row.level, 1, budget}, sink);
    const auto each = k_budget - budget->left();
    EXPECT_LE(each, row.most_bytes_each) << row.level;
    {
      const auto many = make_compressor({row.type, row.level, 64, budget}, sink);
      EXPECT_GE((k_budget - budget->left()) / each, std::min<std::size_t>(row.least_workers, 32)) << row.level;
    }
    EXPECT_EQ(k_budget - budget->left(), each);
  }
}

TEST(Compressor, CompressorsShareABudget) {
  const auto budget = std::make_shared<CompressionBudget>(std::size_t{100} << 20);
  EXPECT_EQ(budget->take(8, std::size_t{40} << 20), 2U);
  EXPECT_EQ(budget->take(8, std::size_t{40} << 20), 1U);  // there is always one
  EXPECT_EQ(budget->left(), 0U);
  budget->give_back(1, std::size_t{40} << 20);
  EXPECT_EQ(budget->left(), std::size_t{20} << 20);
  // The output does not tell how many there were.
  const auto text = sample(5 * k_mebibyte);
  for (const auto type : {Compression::gzip, Compression::zstd}) {
    const auto little = std::make_shared<CompressionBudget>(1);
    EXPECT_TRUE(compress(text, {type, 2, 8, little}) == compress(text, {type, 2, 8})) << static_cast<int>(type);
  }
}

TEST(Compressor, CanBeDroppedWithoutFinish) {
  // The last bytes fill no block, so they can only come out of finish().
  const std::string input = sample(20 * k_mebibyte) + "tail";
  StringSink whole;
  const auto finished = make_compressor({Compression::gzip, 6, 3}, whole);
  finished->write(as_byte_span(input));
  finished->finish();
  StringSink sink;
  auto compressor = make_compressor({Compression::gzip, 6, 3}, sink);
  compressor->write(as_byte_span(input));
  compressor.reset();
  EXPECT_LT(sink.str().size(), whole.str().size());
  EXPECT_TRUE(whole.str().starts_with(sink.str()));
}

TEST(Compressor, ErrorsOfTheNextSinkComeThrough) {
  StringSink full(10);
  auto compressor = make_compressor({Compression::gzip, 1, 3}, full);
  EXPECT_THROW(
      {
        compressor->write(as_byte_span(sample(30 * k_mebibyte)));
        compressor->finish();
      },
      Error);
}

TEST(Compressor, NoneCopies) {
  EXPECT_EQ(compress("text", {Compression::none, 1, 1}), "text");
  EXPECT_EQ(decompress(Compression::none, "text"), "text");
  EXPECT_EQ(detect_compression(as_byte_span("text")), Compression::none);
  EXPECT_EQ(detect_compression({}), Compression::none);
}

}  // namespace
}  // namespace tektii
