#include "package_scan.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/stream.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tektii::builder {
namespace {

constexpr std::size_t k_largest_database = std::size_t{64} << 20;

enum class Database { os_release, dpkg, apk, python, npm };

// "node_modules/NAME/package.json" or "node_modules/@SCOPE/NAME/package.json" at the end: packages have files of that
// name elsewhere too, which describe none.
bool is_npm_package(std::string_view path) {
  constexpr std::string_view k_file = "/package.json";
  if (!path.ends_with(k_file)) return false;
  path.remove_suffix(k_file.size());
  const auto take_last = [&path]() -> std::string_view {
    const auto slash = path.rfind('/');
    const auto last = path.substr(slash == std::string_view::npos ? 0 : slash + 1);
    path.remove_suffix(slash == std::string_view::npos ? path.size() : path.size() - slash);
    return last;
  };
  take_last();
  auto parent = take_last();
  if (parent.starts_with('@')) parent = take_last();
  return parent == "node_modules";
}

std::optional<Database> database_of(std::string_view path) {
  if (path == "usr/lib/os-release" || path == "etc/os-release") return Database::os_release;
  if (path == "var/lib/dpkg/status") return Database::dpkg;
  if (path.starts_with("var/lib/dpkg/status.d/") && !path.ends_with(".md5sums")) return Database::dpkg;
  if (path == "lib/apk/db/installed" || path == "usr/lib/apk/db/installed") return Database::apk;
  if (path.ends_with(".dist-info/METADATA") || path.ends_with(".egg-info/PKG-INFO") || path.ends_with(".egg-info")) {
    return Database::python;
  }
  if (is_npm_package(path)) return Database::npm;
  return std::nullopt;
}

void read_database(Database kind, const std::string& path, const std::string& text, ScannedPackages& found) {
  const auto add_all = [&](std::vector<attest::Package> packages) {
    std::move(packages.begin(), packages.end(), std::back_inserter(found.packages));
  };
  const auto add = [&](std::optional<attest::Package> package) {
    if (package) found.packages.push_back(std::move(*package));
  };
  switch (kind) {
    case Database::os_release:
      if (found.distribution.id.empty()) found.distribution = attest::parse_os_release(text);
      break;
    case Database::dpkg:
      add_all(attest::parse_dpkg_status(text, path));
      break;
    case Database::apk:
      add_all(attest::parse_apk_installed(text, path));
      break;
    case Database::python:
      add(attest::parse_python_metadata(text, path));
      break;
    case Database::npm:
      add(attest::parse_npm_package(text, path));
      break;
  }
}

}  // namespace

ScannedPackages scan_packages(CopySource& files, const std::stop_token& stop) {
  std::vector<std::pair<Database, SourceEntry>> databases;
  files.visit("", [&](SourceEntry&& entry) {
    throw_if_stopped(stop);
    if (entry.metadata.type != fs::FileType::regular) return;
    const auto kind = database_of(entry.relative_path);
    if (!kind) return;
    entry.file->announce();
    databases.emplace_back(*kind, std::move(entry));
  });
  ScannedPackages found;
  for (const auto& [kind, entry] : databases) {
    throw_if_stopped(stop);
    try {
      const auto source = entry.file->open();
      read_database(kind, entry.relative_path, read_all(*source, k_largest_database), found);
    } catch (Error& error) {
      error.add_context(fmt::format("read the package database /{}", escape_control(entry.relative_path)));
      throw;
    }
  }
  return found;
}

}  // namespace tektii::builder
