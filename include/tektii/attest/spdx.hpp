#pragma once

#include <tektii/attest/packages.hpp>
#include <tektii/oci/digest.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::attest {

struct SpdxDocument {
  oci::Digest image;         // the manifest
  std::int64_t created = 0;  // seconds since 1970
  Distribution distribution;
  std::vector<Package> packages;  // in any order; the same one twice is one
};

// SPDX 2.3 as JSON (spdx.github.io/spdx-spec/v2.3): the image contains the packages, each with its purl, and its
// licence where one is stated. A licence that is no SPDX expression is kept as text under a reference of its own.
std::string make_spdx(SpdxDocument document);

// True for an SPDX licence expression (annex D) whose identifiers we know.
bool is_license_expression(std::string_view text);

}  // namespace tektii::attest
