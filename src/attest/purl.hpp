#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tektii::attest {

// A package URL (package-url/purl-spec): "pkg:TYPE/[NAMESPACE/]NAME@VERSION?KEY=VALUE&...".
struct PackageUrl {
  std::string type;
  std::string name_space;  // with '/' between its parts; empty for none
  std::string name;
  std::string version;
  std::vector<std::pair<std::string, std::string>> qualifiers;  // those without a value are left out

  std::string str() const;
};

// Everything but letters, digits and "-._~" (and ':', where it is allowed) as %XX.
std::string percent_encoded(std::string_view text, bool keep_colon);

}  // namespace tektii::attest
