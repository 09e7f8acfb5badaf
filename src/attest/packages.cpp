#include "attest/purl.hpp"
#include <tektii/attest/packages.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace tektii::attest {
namespace {

using Fields = std::map<std::string, std::string, std::less<>>;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string get(const Fields& fields, std::string_view name) {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string{} : found->second;
}

// "Name: value" lines, as dpkg and e-mail have them: the first line of each; what is folded is text that nobody needs
// here.
void read_field(Fields& fields, std::string_view line) {
  if (line.empty() || line.front() == ' ' || line.front() == '\t') return;
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  fields.emplace(to_lower(line.substr(0, colon)), trim(line.substr(colon + 1)));
}

// "SOURCE (VERSION)".
void read_source(std::string_view text, Package& package) {
  const auto parenthesis = text.find('(');
  package.source_name = trim(text.substr(0, parenthesis));
  if (parenthesis == std::string_view::npos) return;
  text.remove_prefix(parenthesis + 1);
  package.source_version = trim(text.substr(0, text.find(')')));
}

std::optional<Package> dpkg_package(const Fields& fields, const std::string& location) {
  Package package;
  package.name = get(fields, "package");
  package.version = get(fields, "version");
  if (package.name.empty() || package.version.empty()) return std::nullopt;
  // "want flag status"; distroless images have no such field, because nothing else is there.
  if (const auto status = get(fields, "status"); !status.empty() && !status.ends_with(" installed"))
    return std::nullopt;
  package.architecture = get(fields, "architecture");
  package.supplier = get(fields, "maintainer");
  package.homepage = get(fields, "homepage");
  read_source(get(fields, "source"), package);
  package.location = location;
  return package;
}

std::optional<Package> apk_package(const Fields& fields, const std::string& location) {
  Package package;
  package.ecosystem = Ecosystem::apk;
  package.name = get(fields, "P");
  package.version = get(fields, "V");
  if (package.name.empty() || package.version.empty()) return std::nullopt;
  package.architecture = get(fields, "A");
  package.license = get(fields, "L");
  package.supplier = get(fields, "m");
  package.homepage = get(fields, "U");
  if (const auto origin = get(fields, "o"); origin != package.name) package.source_name = origin;
  package.location = location;
  return package;
}

// Trove classifiers stand for a licence where no field states one: "License :: OSI Approved :: MIT License".
std::string license_of_classifier(std::string_view value) {
  constexpr std::string_view k_license = "License ::";
  if (!value.starts_with(k_license)) return {};
  const auto name = trim(value.substr(value.rfind("::") + 2));
  return name == "OSI Approved" ? std::string{} : std::string(name);
}

std::string text_of(const nlohmann::json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

// A text, {"type": text} or, in packages of old, a list of those.
std::string npm_license(const nlohmann::json& json) {
  const auto one = [](const nlohmann::json& value) {
    if (value.is_string()) return value.get<std::string>();
    return value.is_object() ? text_of(value, "type") : std::string{};
  };
  if (const auto found = json.find("license"); found != json.end()) return one(*found);
  const auto found = json.find("licenses");
  if (found == json.end() || !found->is_array()) return {};
  std::vector<std::string> names;
  for (const auto& value : *found) {
    if (auto name = one(value); !name.empty()) names.push_back(std::move(name));
  }
  return names.size() > 1 ? "(" + join(names, " OR ") + ")" : join(names, "");
}

// PEP 503, as the purl specification asks for it.
std::string python_name(std::string_view name) {
  std::string normal;
  for (const char c : to_lower(name)) {
    const bool is_separator = c == '-' || c == '_' || c == '.';
    if (!is_separator) {
      normal += c;
    } else if (!normal.ends_with('-')) {
      normal += '-';
    }
  }
  return normal;
}

std::string distro_qualifier(const Distribution& distribution) {
  if (distribution.id.empty() || distribution.version.empty()) return distribution.id;
  return distribution.id + "-" + distribution.version;
}

std::string upstream_qualifier(const Package& package) {
  if (package.source_name.empty() || package.source_version.empty()) return package.source_name;
  return package.source_name + "@" + package.source_version;
}

}  // namespace

Distribution parse_os_release(std::string_view text) {
  Fields fields;
  for (const auto line : lines_of(text)) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || line.starts_with('#')) continue;
    auto value = trim(line.substr(equals + 1));
    const bool is_quoted = value.size() >= 2 && (value.front() == '"' || value.front() == '\'');
    if (is_quoted && value.back() == value.front()) value = value.substr(1, value.size() - 2);
    fields.emplace(trim(line.substr(0, equals)), value);
  }
  return {get(fields, "ID"), get(fields, "VERSION_ID"), get(fields, "PRETTY_NAME")};
}

std::vector<Package> parse_dpkg_status(std::string_view text, const std::string& location) {
  std::vector<Package> packages;
  Fields fields;
  const auto end_stanza = [&] {
    if (auto package = dpkg_package(fields, location)) packages.push_back(std::move(*package));
    fields.clear();
  };
  for (const auto line : lines_of(text)) {
    if (line.empty()) {
      end_stanza();
    } else {
      read_field(fields, line);
    }
  }
  end_stanza();
  return packages;
}

std::vector<Package> parse_apk_installed(std::string_view text, const std::string& location) {
  std::vector<Package> packages;
  Fields fields;
  const auto end_stanza = [&] {
    if (auto package = apk_package(fields, location)) packages.push_back(std::move(*package));
    fields.clear();
  };
  for (const auto line : lines_of(text)) {
    if (line.empty()) {
      end_stanza();
    } else if (line.size() > 2 && line[1] == ':') {
      fields.emplace(line.substr(0, 1), line.substr(2));
    }
  }
  end_stanza();
  return packages;
}

std::optional<Package> parse_python_metadata(std::string_view text, const std::string& location) {
  Fields fields;
  std::string classified;
  for (const auto line : lines_of(text)) {
    if (line.empty()) break;  // the description
    read_field(fields, line);
    constexpr std::string_view k_classifier = "Classifier:";
    if (classified.empty() && line.starts_with(k_classifier)) {
      classified = license_of_classifier(trim(line.substr(k_classifier.size())));
    }
  }
  Package package;
  package.ecosystem = Ecosystem::pypi;
  package.name = get(fields, "name");
  package.version = get(fields, "version");
  if (package.name.empty() || package.version.empty()) return std::nullopt;
  package.license = get(fields, "license-expression");
  if (package.license.empty()) package.license = get(fields, "license");
  if (package.license.empty() || package.license == "UNKNOWN") package.license = classified;
  package.supplier = get(fields, "author");
  if (package.supplier.empty()) package.supplier = get(fields, "author-email");
  if (package.supplier == "UNKNOWN") package.supplier.clear();
  package.homepage = get(fields, "home-page");
  if (package.homepage == "UNKNOWN") package.homepage.clear();
  package.location = location;
  return package;
}

std::optional<Package> parse_npm_package(std::string_view text, const std::string& location) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  Package package;
  package.ecosystem = Ecosystem::npm;
  package.name = text_of(json, "name");
  package.version = text_of(json, "version");
  if (package.name.empty() || package.version.empty()) return std::nullopt;
  package.license = npm_license(json);
  if (const auto author = json.find("author"); author != json.end()) {
    package.supplier = author->is_object() ? text_of(*author, "name") : text_of(json, "author");
  }
  package.homepage = text_of(json, "homepage");
  package.location = location;
  return package;
}

std::string package_url(const Package& package, const Distribution& distribution) {
  PackageUrl url;
  url.name = package.name;
  url.version = package.version;
  const bool is_of_distribution = package.ecosystem == Ecosystem::deb || package.ecosystem == Ecosystem::apk;
  if (is_of_distribution) {
    url.qualifiers = {{"arch", package.architecture},
                      {"distro", distro_qualifier(distribution)},
                      {"upstream", upstream_qualifier(package)}};
  }
  switch (package.ecosystem) {
    case Ecosystem::deb:
      url.type = "deb";
      url.name_space = distribution.id.empty() ? "debian" : distribution.id;
      break;
    case Ecosystem::apk:
      url.type = "apk";
      url.name_space = distribution.id.empty() ? "alpine" : distribution.id;
      break;
    case Ecosystem::pypi:
      url.type = "pypi";
      url.name = python_name(package.name);
      break;
    case Ecosystem::npm:
      url.type = "npm";
      if (const auto slash = package.name.find('/'); package.name.starts_with('@') && slash != std::string::npos) {
        url.name_space = package.name.substr(0, slash);
        url.name = package.name.substr(slash + 1);
      }
      break;
  }
  return url.str();
}

}  // namespace tektii::attest
