#pragma once

#include <string>
#include <string_view>

namespace tektii::oci {

struct Platform {
  std::string os = "linux";
  std::string architecture = "amd64";
  std::string variant;

  // "os/arch[/variant]"; normalises x86_64 to amd64 and aarch64 to arm64. Throws Error{usage} on anything else.
  static Platform parse(std::string_view text);
  std::string str() const;
  bool operator==(const Platform&) const = default;
};

}  // namespace tektii::oci
