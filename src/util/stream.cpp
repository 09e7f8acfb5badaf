#include <tektii/util/error.hpp>
#include <tektii/util/stream.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace tektii {

namespace {

constexpr std::size_t k_copy_buffer = 256 * 1024;

}  // namespace

std::size_t StringSource::read(std::span<std::byte> out) {
  const auto count = std::min(out.size(), data_.size() - position_);
  if (count != 0) std::memcpy(out.data(), data_.data() + position_, count);
  position_ += count;
  return count;
}

void StringSink::write(ByteSpan data) {
  if (data.size() > limit_ - data_.size())
    throw Error(ErrorKind::failure, fmt::format("more than the allowed {} bytes", limit_));
  data_.append(reinterpret_cast<const char*>(data.data()), data.size());
}

void TeeSink::write(ByteSpan data) {
  first_.write(data);
  second_.write(data);
}

void TeeSink::finish() {
  first_.finish();
  second_.finish();
}

std::uint64_t copy_stream(ByteSource& source, ByteSink& sink, const std::stop_token& stop) {
  std::vector<std::byte> buffer(k_copy_buffer);
  std::uint64_t total = 0;
  for (;;) {
    throw_if_stopped(stop);
    const auto count = source.read(buffer);
    if (count == 0) return total;
    sink.write(ByteSpan(buffer.data(), count));
    total += count;
  }
}

std::string read_all(ByteSource& source, std::size_t limit) {
  StringSink sink(limit);
  copy_stream(source, sink);
  return sink.take();
}

std::size_t read_full(ByteSource& source, std::span<std::byte> out) {
  std::size_t filled = 0;
  while (filled < out.size()) {
    const auto count = source.read(out.subspan(filled));
    if (count == 0) break;
    filled += count;
  }
  return filled;
}

}  // namespace tektii
