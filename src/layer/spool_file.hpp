#pragma once

#include <tektii/util/fd.hpp>
#include <tektii/util/stream.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace tektii::layer {

// A file without a name, gone with its last descriptor: bytes that are needed in another order than they come in.
class SpoolFile {
 public:
  // In `directory`, which exists.
  explicit SpoolFile(const std::filesystem::path& directory);

  void write(std::uint64_t offset, ByteSpan data) const;
  // Drops what is behind `size`.
  void cut(std::uint64_t size) const;
  // Like pread(2): 0 behind the end.
  std::size_t read(std::uint64_t offset, std::span<std::byte> out) const;

 private:
  std::string shown_;
  UniqueFd fd_;
};

// One part of a spool, which it keeps alive. What was never written (a hole at the end of the last file) is zeros.
std::unique_ptr<ByteSource> open_spooled(std::shared_ptr<const SpoolFile> file, std::uint64_t offset,
                                         std::uint64_t size);

}  // namespace tektii::layer
