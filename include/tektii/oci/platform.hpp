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
  // The form that two spellings of one platform share (containerd's rules): lower case, amd64/v1 and arm64/v8 without
  // their variant, arm with one. Compare platforms of images only in this form.
  Platform normalised() const;
  bool operator==(const Platform&) const = default;
};

}  // namespace tektii::oci
