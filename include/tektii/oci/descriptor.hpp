#pragma once

#include <tektii/oci/digest.hpp>
#include <tektii/oci/platform.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace tektii::oci {

// image-spec descriptor.md. Plain value.
struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
  std::map<std::string, std::string> annotations = {};
  std::optional<Platform> platform = std::nullopt;  // in an index only

  bool operator==(const Descriptor&) const = default;
};

// Where a blob can be mounted from: the registry that it was pulled from (POST ...?mount=D&from=repository).
struct BlobOrigin {
  std::string registry;    // "docker.io", "127.0.0.1:5000"
  std::string repository;  // "library/python"
  bool operator==(const BlobOrigin&) const = default;
};

// A layer exists only once its digest, size and diff_id are all known.
struct Layer {
  Descriptor blob;
  Digest diff_id;  // of the uncompressed tar
  std::optional<BlobOrigin> origin = std::nullopt;
};

}  // namespace tektii::oci
