#include "util/compress_backends.hpp"
#include <tektii/util/compress.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <initializer_list>
#include <thread>
#include <utility>
#include <vector>

namespace tektii {

namespace {

class PassThrough : public ByteSink {
 public:
  explicit PassThrough(ByteSink& next) : next_(next) {}
  void write(ByteSpan data) override { next_.write(data); }
  void finish() override { next_.finish(); }

 private:
  ByteSink& next_;
};

// Cuts a stream into blocks.
class Blocks : public ByteSink {
 public:
  explicit Blocks(std::unique_ptr<BlockCompressor> next) : next_(std::move(next)) {}

  void write(ByteSpan data) override {
    while (!data.empty()) {
      if (!block_) {
        block_ = std::make_shared<std::vector<std::byte>>();
        block_->reserve(k_compression_block);
      }
      const std::size_t count = std::min(data.size(), k_compression_block - block_->size());
      block_->insert(block_->end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(count));
      data = data.subspan(count);
      if (block_->size() == k_compression_block) next_->submit(std::exchange(block_, nullptr));
    }
  }

  void finish() override {
    if (block_) next_->submit(std::move(block_));
    next_->finish();
  }

 private:
  std::unique_ptr<BlockCompressor> next_;
  std::shared_ptr<std::vector<std::byte>> block_;
};

// What a worker needs, measured with libdeflate 1.14 and zstd 1.5.4, both rounded up: the tables of the level, and the
// blocks that it works on. It decides how many there are and nothing else.
std::size_t memory_of_worker(const CompressionOptions& options) {
  constexpr std::size_t k_mebibyte = 1U << 20;
  struct Step {
    int up_to;  // level
    std::size_t mebibytes;
  };
  static constexpr std::array<Step, 2> k_gzip = {{{9, 5}, {12, 13}}};
  static constexpr std::array<Step, 8> k_zstd = {
      {{3, 6}, {6, 9}, {8, 12}, {9, 18}, {11, 30}, {14, 54}, {18, 70}, {19, 90}}};
  const auto look_up = [&](const auto& steps) {
    return std::find_if(steps.begin(), steps.end() - 1, [&](const Step& step) { return options.level <= step.up_to; })
               ->mebibytes *
           k_mebibyte;
  };
  return options.type == Compression::gzip ? look_up(k_gzip) : look_up(k_zstd);
}

// Holds its share of the budget.
class Budgeted : public BlockCompressor {
 public:
  using Make = std::function<std::unique_ptr<BlockCompressor>(unsigned workers)>;

  Budgeted(std::shared_ptr<CompressionBudget> budget, unsigned threads, std::size_t each, const Make& make)
      : share_(std::move(budget), threads, each), next_(make(share_.workers)) {}
  void submit(SharedBytes block) override { next_->submit(std::move(block)); }
  void finish() override { next_->finish(); }

 private:
  struct Share {
    Share(std::shared_ptr<CompressionBudget> from, unsigned wanted, std::size_t bytes)
        : budget(std::move(from)), each(bytes), workers(budget->take(wanted, bytes)) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { budget->give_back(workers, each); }

    std::shared_ptr<CompressionBudget> budget;
    std::size_t each;
    unsigned workers;
  };

  Share share_;
  std::unique_ptr<BlockCompressor> next_;  // goes first
};

unsigned thread_count(const CompressionOptions& options) {
  constexpr unsigned k_most_threads = 32;
  return std::clamp(options.threads != 0 ? options.threads : std::thread::hardware_concurrency(), 1U, k_most_threads);
}

void check_level(std::string_view name, int level, int highest) {
  if (level < 1 || level > highest)
    throw Error(ErrorKind::usage, fmt::format("{} has levels 1 to {}, not {}", name, highest, level));
}

bool starts_with(ByteSpan head, std::initializer_list<unsigned> magic) {
  if (head.size() < magic.size()) return false;
  std::size_t i = 0;
  for (const auto byte : magic) {
    if (std::to_integer<unsigned>(head[i++]) != byte) return false;
  }
  return true;
}

}  // namespace

unsigned CompressionBudget::take(unsigned wanted, std::size_t each) {
  const std::lock_guard lock(mutex_);
  const auto room = std::max<std::int64_t>(left_, 0) / static_cast<std::int64_t>(each);
  const auto workers = std::max(1U, static_cast<unsigned>(std::min<std::int64_t>(wanted, room)));
  left_ -= static_cast<std::int64_t>(workers * each);
  return workers;
}

void CompressionBudget::give_back(unsigned workers, std::size_t each) {
  const std::lock_guard lock(mutex_);
  left_ += static_cast<std::int64_t>(workers * each);
}

std::size_t CompressionBudget::left() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::max<std::int64_t>(left_, 0));
}

std::unique_ptr<BlockCompressor> make_block_compressor(const CompressionOptions& options, ByteSink& next) {
  const auto within_budget = [&](const Budgeted::Make& make) {
    const auto budget = options.budget ? options.budget : std::make_shared<CompressionBudget>();
    return std::make_unique<Budgeted>(budget, thread_count(options), memory_of_worker(options), make);
  };
  switch (options.type) {
    case Compression::none:
      return make_serial_compressor(std::make_unique<PassThrough>(next));
    case Compression::gzip:
      check_level("gzip", options.level, 12);
      return within_budget([&](unsigned workers) { return make_gzip_compressor(options.level, workers, next); });
    case Compression::zstd:
      check_level("zstd", options.level, 19);
      return within_budget(
          [&](unsigned workers) { return make_serial_compressor(make_zstd_compressor(options.level, workers, next)); });
  }
  throw Error(ErrorKind::failure, "unknown compression");
}

std::unique_ptr<ByteSink> make_compressor(const CompressionOptions& options, ByteSink& next) {
  return std::make_unique<Blocks>(make_block_compressor(options, next));
}

Compression detect_compression(ByteSpan head) {
  if (starts_with(head, {0x1F, 0x8B, 0x08})) return Compression::gzip;
  if (starts_with(head, {0x28, 0xB5, 0x2F, 0xFD})) return Compression::zstd;
  // A zstd stream may begin with a skippable frame: magic 0x184D2A50 to 0x184D2A5F (RFC 8878 section 3.1.2).
  if (head.size() >= 4 && (std::to_integer<unsigned>(head[0]) & 0xF0U) == 0x50U &&
      starts_with(head.subspan(1), {0x2A, 0x4D, 0x18}))
    return Compression::zstd;
  return Compression::none;
}

std::unique_ptr<ByteSource> make_decompressor(Compression type, std::unique_ptr<ByteSource> source) {
  switch (type) {
    case Compression::none:
      return source;
    case Compression::gzip:
      return make_gzip_decompressor(std::move(source));
    case Compression::zstd:
      return make_zstd_decompressor(std::move(source));
  }
  throw Error(ErrorKind::failure, "unknown compression");
}

}  // namespace tektii
