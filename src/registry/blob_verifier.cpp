#include "registry/blob_verifier.hpp"

#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tektii::registry {

void BlobVerifier::write(ByteSpan data) {
  const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(to_skip_, data.size()));
  to_skip_ -= skipped;
  data = data.subspan(skipped);
  if (data.empty()) return;
  if (data.size() > blob_.size - received_) {
    throw Error(ErrorKind::content,
                fmt::format("the server sent more than the {} bytes of {}", blob_.size, blob_.digest.str()));
  }
  hash_.update(data);
  next_.write(data);
  received_ += data.size();
}

void BlobVerifier::verify() {
  if (received_ != blob_.size) {
    throw Error(ErrorKind::content,
                fmt::format("the server sent {} bytes of {}, which has {}", received_, blob_.digest.str(), blob_.size));
  }
  const std::string hex = hash_.finish_hex();
  if (hex == blob_.digest.hex()) return;
  throw Error(ErrorKind::content,
              fmt::format("digest mismatch: the server sent sha256:{} for {}", hex, blob_.digest.str()));
}

}  // namespace tektii::registry
