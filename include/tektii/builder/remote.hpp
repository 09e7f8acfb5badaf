#pragma once

#include <tektii/builder/byte_meter.hpp>
#include <tektii/dockerfile/git_ref.hpp>
#include <tektii/oci/digest.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>

namespace tektii::builder {

struct RemoteFileRequest {
  std::string url;                      // http or https
  std::optional<oci::Digest> checksum;  // a file that is here already under this digest is not downloaded again
  ByteMeter* meter = nullptr;           // counts what is downloaded
};

// A downloaded file. `path` stays readable as long as the RemoteSources that gave it lives.
struct RemoteFile {
  std::filesystem::path path;
  std::uint64_t size = 0;
  oci::Digest digest;
  std::optional<std::int64_t> last_modified;  // seconds since 1970
};

// A checked out commit. `directory` stays as it is as long as the RemoteSources that gave it lives.
struct GitTree {
  std::filesystem::path directory;  // the subdirectory, when the reference names one
  std::string commit;               // 40 or 64 hex characters
  std::int64_t commit_time = 0;     // of the committer, seconds since 1970
};

// Port: what ADD takes from other machines, with the credentials that it knows of. Thread-safe. The same request is
// carried out once per build.
class RemoteSources {
 public:
  virtual ~RemoteSources() = default;
  // Throws Error{network} when the file can't be had, and Error{failure} when its digest is not the checksum.
  virtual RemoteFile fetch_file(const RemoteFileRequest& request, const std::stop_token& stop) = 0;
  // Throws Error{failure} when the commit is not the one that the reference's checksum names.
  virtual GitTree fetch_git(const dockerfile::GitRef& reference, const std::stop_token& stop) = 0;
};

}  // namespace tektii::builder
