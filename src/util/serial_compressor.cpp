#include "util/compress_backends.hpp"
#include <tektii/util/bounded_queue.hpp>

#include <exception>
#include <thread>
#include <utility>

namespace tektii {

namespace {

class SerialCompressor : public BlockCompressor {
 public:
  explicit SerialCompressor(std::unique_ptr<ByteSink> sink) : sink_(std::move(sink)), thread_([this] { write(); }) {}
  SerialCompressor(const SerialCompressor&) = delete;
  SerialCompressor& operator=(const SerialCompressor&) = delete;
  ~SerialCompressor() override { blocks_.abandon(); }

  void submit(SharedBytes block) override {
    if (!blocks_.push(std::move(block))) std::rethrow_exception(error_);
  }

  void finish() override {
    blocks_.close();
    thread_.join();
    if (error_) std::rethrow_exception(error_);
    sink_->finish();
  }

 private:
  static constexpr std::size_t k_most_blocks = 4;

  void write() {
    try {
      while (const auto block = blocks_.pop()) sink_->write(**block);
    } catch (...) {
      error_ = std::current_exception();
      blocks_.abandon();
    }
  }

  std::unique_ptr<ByteSink> sink_;
  BoundedQueue<SharedBytes> blocks_{k_most_blocks};
  std::exception_ptr error_;  // set before the queue is closed
  std::jthread thread_;       // last: it is gone before what it uses
};

}  // namespace

std::unique_ptr<BlockCompressor> make_serial_compressor(std::unique_ptr<ByteSink> sink) {
  return std::make_unique<SerialCompressor>(std::move(sink));
}

}  // namespace tektii
