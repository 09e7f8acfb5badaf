#pragma once

#include <tektii/util/error.hpp>

#include <cstddef>
#include <cstdint>

namespace tektii::layer {

// What a tar may ask of memory; real ones stay far below.
inline constexpr std::size_t k_max_members = 10'000'000;
inline constexpr std::size_t k_max_metadata_bytes = std::size_t{1} << 30;
inline constexpr std::uint64_t k_max_content_bytes = std::uint64_t{1} << 40;  // no registry takes such a layer

// Counts what reading one tar takes. Throws Error{failure} at the first thing too much.
class TarBudget {
 public:
  explicit TarBudget(std::size_t members = k_max_members, std::size_t metadata_bytes = k_max_metadata_bytes)
      : members_(members), metadata_bytes_(metadata_bytes) {}

  void take_member() {
    if (members_ == 0) throw Error(ErrorKind::failure, "more than 10 million entries");
    --members_;
  }
  // Bytes of names and attributes that are kept.
  void take_metadata(std::size_t bytes) {
    if (bytes > metadata_bytes_) throw Error(ErrorKind::failure, "more than 1 GiB of names and attributes");
    metadata_bytes_ -= bytes;
  }
  // Content of a regular file, holes included: what it would take on a disk.
  void take_content(std::uint64_t bytes) {
    if (bytes > content_bytes_) throw Error(ErrorKind::failure, "more than 1 TiB of content");
    content_bytes_ -= bytes;
  }

 private:
  std::uint64_t content_bytes_ = k_max_content_bytes;
  std::size_t members_;
  std::size_t metadata_bytes_;
};

}  // namespace tektii::layer
