#pragma once

#include <tektii/oci/digest.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/hash.hpp>
#include <tektii/util/stream.hpp>

#include <cstdint>
#include <functional>
#include <memory>

namespace tektii::store {

// Reads a blob and compares its bytes with its digest on the way. The last bytes are only handed out when all of them
// are right; otherwise `on_damage` is called with the open file and Error{damaged} thrown, so that nobody takes a wrong
// blob for a whole one.
class VerifiedBlob : public ByteSource {
 public:
  VerifiedBlob(UniqueFd fd, std::string path, oci::Digest digest, std::function<void(int fd)> on_damage);
  std::size_t read(std::span<std::byte> out) override;

 private:
  void check();

  std::uint64_t size_;
  int fd_;  // of source_
  FdSource source_;
  oci::Digest digest_;
  std::function<void(int fd)> on_damage_;
  Sha256 hash_;
  std::uint64_t position_ = 0;
  bool checked_ = false;
};

}  // namespace tektii::store
