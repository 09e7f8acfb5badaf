#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace tektii::cli {

inline constexpr std::string_view k_layout_scheme = "oci-layout://";

// An image in an OCI layout: oci-layout://DIR[:TAG] or oci-layout://DIR[:TAG]@DIGEST.
struct LayoutContext {
  std::filesystem::path directory;  // absolute
  std::string tag;                  // or the digest, which beats a tag

  // In the form that parse_layout takes.
  std::string str() const;
};

// Throws Error{usage} when the directory is no layout.
LayoutContext parse_layout(const std::string& text);

}  // namespace tektii::cli
