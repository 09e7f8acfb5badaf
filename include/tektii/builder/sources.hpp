#pragma once

#include <tektii/builder/build.hpp>
#include <tektii/dockerfile/git_ref.hpp>
#include <tektii/oci/digest.hpp>
#include <tektii/util/error.hpp>

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::builder {

struct ListedImage {
  std::string name;    // as it is opened
  std::string key;     // see image_key()
  oci::Digest digest;  // of the manifest for the platform
  SourceSpan span;     // where the Dockerfile names it first
};

struct ListedFile {
  std::string url;                      // as it is fetched
  std::optional<oci::Digest> checksum;  // of --checksum
  SourceSpan span;
};

struct ListedRepository {
  dockerfile::GitRef reference;  // with what --checksum says
  SourceSpan span;
};

// What a Dockerfile takes from other places: base images, images of --from and of mounts, and what ADD fetches. Each
// is there once, in the order of the file.
struct SourceList {
  std::vector<ListedImage> images;
  std::vector<ListedFile> files;
  std::vector<ListedRepository> repositories;
  // The --build-arg values that names of the above depend on.
  std::map<std::string, std::string> build_args;
};

// Of what request.target needs, or of every stage without one. The images are looked up, because names may depend on
// their environment and ONBUILD triggers name more; nothing else is fetched and no step runs.
SourceList list_sources(const BuildRequest& request, const BuildDeps& deps, const std::stop_token& stop);

// What stands for a source wherever it is remembered. An image goes by the full name that the Dockerfile has for it,
// whatever a --build-context opens in its place: paths of this machine mean nothing on another.
std::string image_key(const BuildRequest& request, const std::string& opened_name);
// The URL without credentials and fragment.
std::string file_key(std::string_view url);
// "REMOTE#REF" without credentials; the remote alone for its HEAD. Directories of one commit share it.
std::string repository_key(const dockerfile::GitRef& reference);

}  // namespace tektii::builder
