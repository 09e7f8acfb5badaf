#pragma once

#include <tektii/oci/descriptor.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::oci {

// An OCI image manifest or a Docker schema 2 manifest.
struct Manifest {
  std::string media_type;
  Descriptor config;
  std::vector<Descriptor> layers;
  std::map<std::string, std::string> annotations = {};

  // Strict: limits (4 MiB of text, 64 levels, 1000 layers), well-formed digests, sizes 0..2^53. Throws Error{failure}.
  // A schema 1 manifest is refused by name.
  static Manifest parse(std::string_view json);
  // Byte-exact: fixed key order, no white space, sorted annotations.
  std::string serialise() const;
};

// An OCI index or a Docker manifest list.
struct Index {
  std::string media_type;
  std::vector<Descriptor> manifests;
  std::map<std::string, std::string> annotations = {};

  static Index parse(std::string_view json);
  std::string serialise() const;

  // The first manifest for the platform; an entry without a platform does not match. Attestation manifests
  // (unknown/unknown) never match. nullptr when there is none.
  const Descriptor* find(const Platform& platform) const;
  // "linux/arm64, linux/s390x" for the error message.
  std::string platforms() const;
};

}  // namespace tektii::oci
