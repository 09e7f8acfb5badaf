#include "util/compress_backends.hpp"
#include <tektii/util/error.hpp>

#include <libdeflate.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

namespace tektii {

namespace {

// Part of the output format: another size gives other bytes for the same input.
constexpr std::size_t k_block_size = 1U << 20;

// Compresses one block into one gzip member. libdeflate writes no time and no name, so equal input gives equal bytes.
class MemberEncoder {
 public:
  explicit MemberEncoder(int level) : compressor_(libdeflate_alloc_compressor(level)) {
    if (!compressor_) throw std::bad_alloc();
  }

  void encode(const std::vector<std::byte>& in, std::vector<std::byte>& out) {
    out.resize(libdeflate_gzip_compress_bound(compressor_.get(), in.size()));
    const auto size = libdeflate_gzip_compress(compressor_.get(), in.data(), in.size(), out.data(), out.size());
    if (size == 0) throw Error(ErrorKind::failure, "libdeflate could not compress a block");
    out.resize(size);
  }

 private:
  struct Free {
    void operator()(libdeflate_compressor* compressor) const { libdeflate_free_compressor(compressor); }
  };
  std::unique_ptr<libdeflate_compressor, Free> compressor_;
};

struct Block {
  std::vector<std::byte> in;
  std::vector<std::byte> out;
  bool done = false;
  std::exception_ptr error;
};

// Worker threads over a queue of blocks. Only the caller's thread submits and collects, in the order of submission.
class EncoderPool {
 public:
  EncoderPool(int level, unsigned threads) : level_(level) {
    try {
      for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
    } catch (...) {
      stop();
      throw;
    }
  }
  EncoderPool(const EncoderPool&) = delete;
  EncoderPool& operator=(const EncoderPool&) = delete;
  ~EncoderPool() { stop(); }

  void submit(Block& block) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(&block);
    }
    work_available_.notify_one();
  }

  bool is_done(const Block& block) {
    const std::lock_guard lock(mutex_);
    return block.done;
  }

  // Waits for the block and rethrows what its worker threw.
  void wait(Block& block) {
    std::unique_lock lock(mutex_);
    block_done_.wait(lock, [&] { return block.done; });
    if (block.error) std::rethrow_exception(block.error);
  }

 private:
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      waiting_.clear();
    }
    work_available_.notify_all();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

  void work() {
    std::unique_ptr<MemberEncoder> encoder;
    std::unique_lock lock(mutex_);
    for (;;) {
      work_available_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      Block& block = *waiting_.front();
      waiting_.pop_front();
      lock.unlock();
      std::exception_ptr error;
      try {
        if (!encoder) encoder = std::make_unique<MemberEncoder>(level_);
        encoder->encode(block.in, block.out);
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      block.error = error;
      block.done = true;
      block_done_.notify_one();
    }
  }

  const int level_;
  std::mutex mutex_;
  std::condition_variable work_available_;
  std::condition_variable block_done_;
  std::deque<Block*> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

class GzipCompressor : public ByteSink {
 public:
  GzipCompressor(int level, unsigned threads, ByteSink& next) : level_(level), threads_(threads), next_(next) {}

  void write(ByteSpan data) override {
    while (!data.empty()) {
      if (!current_) current_ = take_block();
      auto& in = current_->in;
      const auto count = std::min(data.size(), k_block_size - in.size());
      in.insert(in.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(count));
      data = data.subspan(count);
      if (in.size() == k_block_size) submit_current();
    }
  }

  void finish() override {
    // A stream that is empty still needs one member, or it would not be gzip.
    if (!current_ && !any_block_) current_ = take_block();
    if (current_) {
      // Short streams never start a thread.
      if (pool_) {
        submit_current();
      } else {
        encode_here();
      }
    }
    while (!in_flight_.empty()) emit_front();
    pool_.reset();
    next_.finish();
  }

 private:
  std::unique_ptr<Block> take_block() {
    if (spare_.empty()) {
      auto block = std::make_unique<Block>();
      block->in.reserve(k_block_size);
      return block;
    }
    auto block = std::move(spare_.back());
    spare_.pop_back();
    return block;
  }

  void submit_current() {
    any_block_ = true;
    if (threads_ == 1) {
      encode_here();
      return;
    }
    if (!pool_) pool_ = std::make_unique<EncoderPool>(level_, threads_);
    // Two blocks per thread keep every worker busy while this thread writes, and bound the memory.
    while (in_flight_.size() >= std::size_t{2} * threads_) emit_front();
    in_flight_.push_back(std::move(current_));
    pool_->submit(*in_flight_.back());
    while (!in_flight_.empty() && pool_->is_done(*in_flight_.front())) emit_front();
  }

  void encode_here() {
    any_block_ = true;
    if (!encoder_) encoder_ = std::make_unique<MemberEncoder>(level_);
    encoder_->encode(current_->in, current_->out);
    next_.write(current_->out);
    recycle(std::move(current_));
  }

  void emit_front() {
    pool_->wait(*in_flight_.front());
    auto block = std::move(in_flight_.front());
    in_flight_.pop_front();
    next_.write(block->out);
    recycle(std::move(block));
  }

  void recycle(std::unique_ptr<Block> block) {
    block->in.clear();
    block->done = false;
    spare_.push_back(std::move(block));
  }

  const int level_;
  const unsigned threads_;
  ByteSink& next_;
  bool any_block_ = false;
  std::unique_ptr<Block> current_;
  std::vector<std::unique_ptr<Block>> spare_;
  std::unique_ptr<MemberEncoder> encoder_;
  std::deque<std::unique_ptr<Block>> in_flight_;
  // Last, so that the workers are gone before the blocks they work on.
  std::unique_ptr<EncoderPool> pool_;
};

}  // namespace

std::unique_ptr<ByteSink> make_gzip_compressor(int level, unsigned threads, ByteSink& next) {
  return std::make_unique<GzipCompressor>(level, threads, next);
}

}  // namespace tektii
