#pragma once

#include <tektii/oci/digest.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tektii::cli {

struct LockedFile {
  oci::Digest digest;
  std::uint64_t size = 0;
  // What the server said when it was locked, in seconds since 1970: the time of the file where none is given.
  std::optional<std::int64_t> last_modified = std::nullopt;
  bool operator==(const LockedFile&) const = default;
};

// The content of a lock file: what each name stood for when it was locked. The keys are those of builder/sources.hpp.
struct LockFile {
  std::string platform = "linux/amd64";
  std::map<std::string, std::string> build_args;  // that names depend on
  std::map<std::string, oci::Digest> images;      // manifests for the platform
  std::map<std::string, LockedFile> files;
  std::map<std::string, std::string> repositories;  // commits

  // `name` is for messages. Throws Error{usage} for what is no lock file, or one of a later version.
  static LockFile parse(std::string_view text, const std::string& name);
  // JSON with sorted names, one entry a line or two, so that a change of a pin is a small change of the file.
  std::string serialise() const;

  bool operator==(const LockFile&) const = default;
};

}  // namespace tektii::cli
