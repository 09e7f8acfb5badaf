#include <tektii/util/error.hpp>
#include <tektii/util/pushed_source.hpp>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace tektii {

namespace {

constexpr std::size_t k_capacity = std::size_t{4} << 20;

// A ring of bytes between one writer and one reader.
class Pipe : public ByteSink {
 public:
  Pipe() : ring_(k_capacity) {}

  void write(ByteSpan data) override {
    while (!data.empty()) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return abandoned_ || filled_ < ring_.size(); });
      if (abandoned_) throw Error(ErrorKind::interrupted, "interrupted");
      const std::size_t at = (begin_ + filled_) % ring_.size();
      const std::size_t n = std::min({data.size(), ring_.size() - filled_, ring_.size() - at});
      std::copy_n(data.begin(), n, ring_.begin() + static_cast<std::ptrdiff_t>(at));
      filled_ += n;
      data = data.subspan(n);
      changed_.notify_all();
    }
  }

  std::size_t read(std::span<std::byte> out) {
    if (out.empty()) return 0;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return filled_ != 0 || ended_; });
    if (filled_ == 0) {
      if (error_) std::rethrow_exception(error_);
      return 0;
    }
    const std::size_t n = std::min({out.size(), filled_, ring_.size() - begin_});
    std::copy_n(ring_.begin() + static_cast<std::ptrdiff_t>(begin_), n, out.begin());
    begin_ = (begin_ + n) % ring_.size();
    filled_ -= n;
    changed_.notify_all();
    return n;
  }

  void end(std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    error_ = std::move(error);
    changed_.notify_all();
  }

  void abandon() {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::byte> ring_;
  std::size_t begin_ = 0;
  std::size_t filled_ = 0;
  bool ended_ = false;
  bool abandoned_ = false;
  std::exception_ptr error_;
};

class PushedSource : public ByteSource {
 public:
  using Produce = std::function<void(ByteSink&, const std::stop_token&)>;

  PushedSource(Produce produce, const std::stop_token& stop)
      : pass_on_(stop, StopAll{this}), thread_([this, produce = std::move(produce)] {
          std::exception_ptr error;
          try {
            produce(pipe_, source_.get_token());
          } catch (...) {
            error = std::current_exception();
          }
          pipe_.end(error);
        }) {}
  PushedSource(const PushedSource&) = delete;
  PushedSource& operator=(const PushedSource&) = delete;
  ~PushedSource() override { abandon(); }

  std::size_t read(std::span<std::byte> out) override { return pipe_.read(out); }

 private:
  struct StopAll {
    PushedSource* source;
    void operator()() const { source->abandon(); }
  };

  void abandon() {
    source_.request_stop();
    pipe_.abandon();
  }

  Pipe pipe_;
  std::stop_source source_;
  std::stop_callback<StopAll> pass_on_;
  std::jthread thread_;
};

}  // namespace

std::unique_ptr<ByteSource> make_pushed_source(std::function<void(ByteSink&, const std::stop_token&)> produce,
                                               const std::stop_token& stop) {
  return std::make_unique<PushedSource>(std::move(produce), stop);
}

}  // namespace tektii
