#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>

namespace tektii::oci {

// "sha256:<64 lower-case hex>" (image-spec descriptor.md, "Digests"). A Digest that exists is well-formed, so it is
// safe as part of a path. Only sha256 is accepted: no registry in use hands out another.
class Digest {
 public:
  static Digest parse(std::string_view text);  // throws Error{failure} "invalid digest"
  static bool is_valid(std::string_view text);
  static Digest of_hex(std::string_view sha256_hex);  // 64 lower-case hex characters
  static Digest of_bytes(std::string_view content);

  const std::string& str() const { return text_; }  // "sha256:..."
  std::string_view hex() const { return std::string_view(text_).substr(7); }
  std::string_view algorithm() const { return std::string_view(text_).substr(0, 6); }
  std::string short_hex() const { return text_.substr(7, 12); }

  auto operator<=>(const Digest&) const = default;  // NOLINT(modernize-use-nullptr): the 0 it is compared with

 private:
  explicit Digest(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace tektii::oci

template <>
struct std::hash<tektii::oci::Digest> {
  std::size_t operator()(const tektii::oci::Digest& digest) const noexcept {
    return std::hash<std::string>{}(digest.str());
  }
};
