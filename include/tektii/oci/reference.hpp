#pragma once

#include <tektii/oci/digest.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace tektii::oci {

// "[host[:port]/]path[:tag][@digest]" (distribution reference grammar). docker.io is the default host, "library/" its
// default namespace; the first component is a host when it has a '.' or ':' or is "localhost".
struct ImageReference {
  std::string registry;    // "docker.io", "127.0.0.1:5000", "[::1]:5000"
  std::string repository;  // "library/python"
  std::string tag;         // empty only when a digest is given
  std::optional<Digest> digest;

  static ImageReference parse(
      std::string_view text);          // throws Error{usage} that says which part is wrong; tag defaults to "latest"
  std::string str() const;             // fully qualified
  std::string repository_str() const;  // "registry/repository"
  // What goes into /v2/<repository>/manifests/<here>: the digest when there is one, else the tag.
  std::string manifest_reference() const;

  bool operator==(const ImageReference&) const = default;
};

}  // namespace tektii::oci
