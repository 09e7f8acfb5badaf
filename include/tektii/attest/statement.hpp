#pragma once

#include <tektii/oci/digest.hpp>

#include <string>
#include <string_view>

// What is said of an image, as in-toto statements. Everything here is pure: equal values give equal bytes.
namespace tektii::attest {

inline constexpr std::string_view k_predicate_spdx = "https://spdx.dev/Document";
inline constexpr std::string_view k_predicate_slsa_1 = "https://slsa.dev/provenance/v1";
inline constexpr std::string_view k_predicate_slsa_02 = "https://slsa.dev/provenance/v0.2";

struct Statement {
  std::string predicate_type;
  std::string bytes;  // JSON
};

// Wraps a predicate (JSON) into a statement (in-toto Statement v1) about the manifest of an image. The subject has no
// name ("_", as the specification has it): with the tags of one push in it, the same image would get another statement
// wherever it is pushed to.
Statement make_statement(std::string_view predicate_type, std::string_view predicate, const oci::Digest& subject);

}  // namespace tektii::attest
