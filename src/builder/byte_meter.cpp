#include <tektii/builder/byte_meter.hpp>

#include <chrono>

namespace tektii::builder {
namespace {

constexpr std::int64_t k_interval = 100'000'000;  // nanoseconds

std::int64_t steady_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

ByteMeter::ByteMeter(ProgressSink& sink, int step_id, Activity activity, std::uint64_t total)
    : sink_(sink), step_id_(step_id), activity_(activity), total_(total), next_(steady_now() + k_interval) {
  tell();
}

ByteMeter::~ByteMeter() {
  tell();
}

void ByteMeter::tell() {
  sink_.step_progress(step_id_, {activity_, done_.load(std::memory_order_relaxed), total_});
}

void ByteMeter::add(std::uint64_t bytes) {
  done_.fetch_add(bytes, std::memory_order_relaxed);
  const auto now = steady_now();
  auto due = next_.load(std::memory_order_relaxed);
  // Of several threads that find it due, one tells.
  if (now < due || !next_.compare_exchange_strong(due, now + k_interval, std::memory_order_relaxed)) return;
  tell();
}

void ByteMeter::restart() {
  done_.store(0, std::memory_order_relaxed);
  tell();
}

std::size_t MeteredSource::read(std::span<std::byte> out) {
  const auto count = source_->read(out);
  if (count > 0) meter_->add(count);
  return count;
}

void MeteredSink::write(ByteSpan data) {
  sink_.write(data);
  meter_.add(data.size());
}

}  // namespace tektii::builder
