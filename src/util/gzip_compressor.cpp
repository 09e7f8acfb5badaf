#include "util/compress_backends.hpp"
#include <tektii/util/bounded_queue.hpp>
#include <tektii/util/error.hpp>

#include <libdeflate.h>

#include <array>
#include <exception>
#include <future>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

namespace tektii {

namespace {

// A block whose samples shrink by less than a 1/k_least_gain is stored: compressing it would take as long as anything
// else and save nothing. Part of the output format, like the samples.
constexpr std::size_t k_least_gain = 32;
constexpr std::size_t k_sample_size = 8U << 10;
constexpr std::size_t k_samples = 4;

using Bytes = std::vector<std::byte>;

struct FreeCompressor {
  void operator()(libdeflate_compressor* compressor) const { libdeflate_free_compressor(compressor); }
};
using DeflateCompressor = std::unique_ptr<libdeflate_compressor, FreeCompressor>;

DeflateCompressor make_deflate(int level) {
  DeflateCompressor compressor(libdeflate_alloc_compressor(level));
  if (!compressor) throw std::bad_alloc();
  return compressor;
}

// Compresses one block into one gzip member. libdeflate writes no time and no name, so equal input gives equal bytes.
class MemberEncoder {
 public:
  explicit MemberEncoder(int level)
      : compressor_(make_deflate(level)), sampler_(make_deflate(1)), store_(make_deflate(0)) {}

  void encode(const Bytes& in, Bytes& out) {
    auto& compressor = shrinks(in) ? compressor_ : store_;
    out.resize(libdeflate_gzip_compress_bound(compressor.get(), in.size()));
    const auto size = libdeflate_gzip_compress(compressor.get(), in.data(), in.size(), out.data(), out.size());
    if (size == 0) throw Error(ErrorKind::failure, "libdeflate could not compress a block");
    out.resize(size);
  }

 private:
  // Samples lie at equal distances; the first one that shrinks decides.
  bool shrinks(const Bytes& in) {
    if (in.size() < 2 * k_samples * k_sample_size) return true;
    std::array<std::byte, k_sample_size - k_sample_size / k_least_gain> room{};
    const std::size_t distance = (in.size() - k_sample_size) / (k_samples - 1);
    for (std::size_t i = 0; i < k_samples; ++i) {
      // 0 says that the result does not fit.
      if (libdeflate_deflate_compress(sampler_.get(), in.data() + i * distance, k_sample_size, room.data(),
                                      room.size()) != 0) {
        return true;
      }
    }
    return false;
  }

  DeflateCompressor compressor_;
  DeflateCompressor sampler_;
  DeflateCompressor store_;
};

// Output buffers that are used again and again.
class BufferPool {
 public:
  Bytes take() {
    const std::lock_guard lock(mutex_);
    if (spare_.empty()) return {};
    Bytes buffer = std::move(spare_.back());
    spare_.pop_back();
    return buffer;
  }
  void give_back(Bytes buffer) {
    const std::lock_guard lock(mutex_);
    spare_.push_back(std::move(buffer));
  }

 private:
  std::mutex mutex_;
  std::vector<Bytes> spare_;
};

class GzipCompressor : public BlockCompressor {
 public:
  // Two blocks per thread, and some for the one that writes, keep every thread busy and bound the memory.
  GzipCompressor(int level, unsigned threads, ByteSink& next)
      : level_(level),
        threads_(threads),
        next_(next),
        todo_(std::size_t{2} * threads + 2),
        order_(std::size_t{2} * threads + 2) {}
  GzipCompressor(const GzipCompressor&) = delete;
  GzipCompressor& operator=(const GzipCompressor&) = delete;
  ~GzipCompressor() override {
    todo_.abandon();
    order_.abandon();
  }

  void submit(SharedBytes block) override {
    if (workers_.empty()) start();
    Job job{std::move(block), {}};
    auto outcome = job.outcome.get_future();
    // The writer takes the outcomes in this order. It closes the queues when it has failed.
    if (!order_.push(std::move(outcome)) || !todo_.push(std::move(job))) std::rethrow_exception(error_);
  }

  void finish() override {
    // An empty stream is one empty member.
    if (workers_.empty()) submit(std::make_shared<const Bytes>());
    todo_.close();
    order_.close();
    writer_.join();
    if (error_) std::rethrow_exception(error_);
    next_.finish();
  }

 private:
  struct Job {
    SharedBytes in;
    std::promise<Bytes> outcome;
  };

  void start() {
    for (unsigned i = 0; i < threads_; ++i) workers_.emplace_back([this] { work(); });
    writer_ = std::jthread([this] { write(); });
  }

  void work() {
    std::unique_ptr<MemberEncoder> encoder;
    while (auto job = todo_.pop()) {
      try {
        if (!encoder) encoder = std::make_unique<MemberEncoder>(level_);
        Bytes out = buffers_.take();
        encoder->encode(*job->in, out);
        job->in.reset();
        job->outcome.set_value(std::move(out));
      } catch (...) {
        job->outcome.set_exception(std::current_exception());
      }
    }
  }

  void write() {
    try {
      while (auto outcome = order_.pop()) {
        Bytes out = outcome->get();
        next_.write(out);
        buffers_.give_back(std::move(out));
      }
    } catch (...) {
      error_ = std::current_exception();
      order_.abandon();
      todo_.abandon();
    }
  }

  const int level_;
  const unsigned threads_;
  ByteSink& next_;
  BufferPool buffers_;
  BoundedQueue<Job> todo_;
  BoundedQueue<std::future<Bytes>> order_;
  std::exception_ptr error_;  // of the writer, set before it closes the queues
  // Last, so that the threads are gone before what they use.
  std::vector<std::jthread> workers_;
  std::jthread writer_;
};

}  // namespace

std::unique_ptr<BlockCompressor> make_gzip_compressor(int level, unsigned threads, ByteSink& next) {
  return std::make_unique<GzipCompressor>(level, threads, next);
}

}  // namespace tektii
