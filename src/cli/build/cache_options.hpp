#pragma once

#include <tektii/oci/reference.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace tektii::cli {

// --cache-from and --cache-to as they were given (the syntax of docker buildx build).
struct CacheOptions {
  std::vector<std::string> from;
  std::vector<std::string> to;
};

// Where a cache is: in a registry when it has a reference, else in a directory.
struct CachePlace {
  std::optional<oci::ImageReference> reference;
  std::filesystem::path directory;  // absolute, an OCI layout
  std::string tag = "latest";       // or digest, in the directory

  std::string name() const;  // as shown
};

struct CacheExportSpec {
  CachePlace place;
  bool all_stages = false;  // mode=max
  bool ignore_error = false;
};

struct CacheSpecs {
  std::vector<CachePlace> from;
  std::vector<CacheExportSpec> to;
  bool is_inline = false;  // type=inline
};

void add_cache_options(CLI::App& command, CacheOptions& options);

// Throws Error{usage} that names the option, the key and what would do.
CacheSpecs read_cache_options(const CacheOptions& options);

}  // namespace tektii::cli
