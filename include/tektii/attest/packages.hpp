#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::attest {

enum class Ecosystem { deb, apk, pypi, npm };

// An installed package, as the database of its package manager says.
struct Package {
  Ecosystem ecosystem = Ecosystem::deb;
  std::string name;
  std::string version;
  std::string architecture;  // deb, apk
  std::string license;       // as stated; empty when it is not
  std::string supplier;      // of the maintainer or author: "Name <address>"; empty when it is not known
  std::string homepage;
  std::string source_name;     // deb, apk: what it was built from, when that is called otherwise
  std::string source_version;  // deb: when it differs
  std::string location;        // path of the file that says so, without a leading slash

  auto operator<=>(const Package&) const = default;  // NOLINT(modernize-use-nullptr): the 0 it is compared with
};

// Which distribution an image is of (os-release(5)).
struct Distribution {
  std::string id;       // "debian"
  std::string version;  // VERSION_ID: "12"
  std::string name;     // PRETTY_NAME
};

Distribution parse_os_release(std::string_view text);

// /var/lib/dpkg/status, and the files of status.d that distroless images have in its place: a stanza per package, of
// which those that are not installed do not count.
std::vector<Package> parse_dpkg_status(std::string_view text, const std::string& location);
// /lib/apk/db/installed.
std::vector<Package> parse_apk_installed(std::string_view text, const std::string& location);
// METADATA of a .dist-info directory or PKG-INFO of an .egg-info (core metadata); nullopt when it names no package.
std::optional<Package> parse_python_metadata(std::string_view text, const std::string& location);
// package.json of a directory in node_modules; nullopt when it is no package (no name, no version, no JSON).
std::optional<Package> parse_npm_package(std::string_view text, const std::string& location);

// "pkg:deb/debian/bash@5.2.15-2%2Bb2?arch=amd64&distro=debian-12".
std::string package_url(const Package& package, const Distribution& distribution);

}  // namespace tektii::attest
