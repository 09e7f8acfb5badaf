#pragma once

#include <tektii/builder/attestations.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tektii::cli {

// The options as they were given: buildx's.
struct AttestOptions {
  std::vector<std::string> attests;  // "type=provenance,mode=max,..." or "type=sbom,..."
  std::string provenance;            // what follows "type=provenance," or a boolean; empty when it was not given
  std::string sbom;
};

// Throws Error{usage}, also for what BuildKit has and we do not. A later option for a type replaces an earlier one.
builder::AttestationRequest parse_attestations(const AttestOptions& options);

// A boolean key of an attestation or an output; throws Error{usage}.
bool parse_switch(const std::string& option, const std::string& key, const std::string& value);

// The commit that a directory is checked out at; empty when it is none.
std::string revision_of(const std::filesystem::path& directory);

}  // namespace tektii::cli
