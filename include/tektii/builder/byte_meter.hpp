#pragma once

#include <tektii/builder/progress.hpp>
#include <tektii/util/stream.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace tektii::builder {

// Counts the bytes of one activity of a step and tells the sink at the beginning, at most ten times a second, and at
// the end of its life. Thread-safe. An add() costs an atomic addition and a look at the clock, so whole buffers are
// added, not bytes.
class ByteMeter {
 public:
  // The sink outlives the meter. `total` is 0 when it is not known.
  ByteMeter(ProgressSink& sink, int step_id, Activity activity, std::uint64_t total = 0);
  ByteMeter(const ByteMeter&) = delete;
  ByteMeter& operator=(const ByteMeter&) = delete;
  ~ByteMeter();

  void add(std::uint64_t bytes);
  // From zero again: a transfer begins anew.
  void restart();

 private:
  void tell();

  ProgressSink& sink_;
  int step_id_;
  Activity activity_;
  std::uint64_t total_;
  std::atomic<std::uint64_t> done_{0};
  std::atomic<std::int64_t> next_;  // when to tell next, in nanoseconds of the steady clock
};

// Counts what is read through it.
class MeteredSource : public ByteSource {
 public:
  MeteredSource(std::unique_ptr<ByteSource> source, std::shared_ptr<ByteMeter> meter)
      : source_(std::move(source)), meter_(std::move(meter)) {}
  std::size_t read(std::span<std::byte> out) override;

 private:
  std::unique_ptr<ByteSource> source_;
  std::shared_ptr<ByteMeter> meter_;
};

// Counts what is written through it. Both outlive it.
class MeteredSink : public ByteSink {
 public:
  MeteredSink(ByteSink& sink, ByteMeter& meter) : sink_(sink), meter_(meter) {}
  void write(ByteSpan data) override;
  void finish() override { sink_.finish(); }

 private:
  ByteSink& sink_;
  ByteMeter& meter_;
};

}  // namespace tektii::builder
