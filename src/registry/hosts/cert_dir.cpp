#include "registry/hosts/cert_dir.hpp"

#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace tektii::registry {

namespace {

namespace fs = std::filesystem;

fs::path with_extension(fs::path file, const char* extension) {
  return file.replace_extension(extension);
}

[[noreturn]] void fail(const fs::path& file, const fs::path& missing) {
  throw Error(ErrorKind::failure, fmt::format("{} has no {} beside it", file.string(), missing.filename().string()))
      .add_hint("NAME.cert and NAME.key belong together; the certificates of authorities are named *.crt");
}

}  // namespace

void read_cert_dir(const fs::path& directory, net::TlsSettings& settings) {
  std::error_code failure;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(directory, failure)) files.push_back(entry.path());
  if (failure) {
    throw Error(ErrorKind::failure, fmt::format("{} can't be read: {}", directory.string(), failure.message()));
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    const auto extension = file.extension();
    if (extension == ".crt") settings.ca_files.push_back(file);
    if (extension == ".cert") {
      const auto key = with_extension(file, ".key");
      if (!fs::exists(key, failure)) fail(file, key);
      if (!settings.client) settings.client = {file, key};
    }
    if (extension == ".key" && !fs::exists(with_extension(file, ".cert"), failure)) {
      fail(file, with_extension(file, ".cert"));
    }
  }
}

}  // namespace tektii::registry
