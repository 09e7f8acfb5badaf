#include <tektii/attest/spdx.hpp>
#include <tektii/util/clock.hpp>
#include <tektii/util/hash.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace tektii::attest {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t k_longest_license = 4096;

// Identifiers of the SPDX licence list that packages of the four kinds state; all others are kept as text.
constexpr std::array<std::string_view, 74> k_licenses = {"0BSD",
                                                         "AFL-2.1",
                                                         "AGPL-3.0-only",
                                                         "AGPL-3.0-or-later",
                                                         "Apache-1.1",
                                                         "Apache-2.0",
                                                         "Artistic-1.0",
                                                         "Artistic-2.0",
                                                         "BSD-1-Clause",
                                                         "BSD-2-Clause",
                                                         "BSD-3-Clause",
                                                         "BSD-4-Clause",
                                                         "BSL-1.0",
                                                         "BlueOak-1.0.0",
                                                         "CC-BY-3.0",
                                                         "CC-BY-4.0",
                                                         "CC-BY-SA-4.0",
                                                         "CC0-1.0",
                                                         "CDDL-1.0",
                                                         "CDDL-1.1",
                                                         "EPL-1.0",
                                                         "EPL-2.0",
                                                         "FSFAP",
                                                         "FTL",
                                                         "GFDL-1.3-only",
                                                         "GPL-1.0-or-later",
                                                         "GPL-2.0",
                                                         "GPL-2.0-only",
                                                         "GPL-2.0-or-later",
                                                         "GPL-3.0",
                                                         "GPL-3.0-only",
                                                         "GPL-3.0-or-later",
                                                         "HPND",
                                                         "ICU",
                                                         "IJG",
                                                         "ISC",
                                                         "LGPL-2.0-only",
                                                         "LGPL-2.0-or-later",
                                                         "LGPL-2.1",
                                                         "LGPL-2.1-only",
                                                         "LGPL-2.1-or-later",
                                                         "LGPL-3.0",
                                                         "LGPL-3.0-only",
                                                         "LGPL-3.0-or-later",
                                                         "Libpng",
                                                         "MIT",
                                                         "MIT-0",
                                                         "MPL-1.1",
                                                         "MPL-2.0",
                                                         "MS-PL",
                                                         "NCSA",
                                                         "OFL-1.1",
                                                         "OLDAP-2.8",
                                                         "OpenSSL",
                                                         "PHP-3.01",
                                                         "PSF-2.0",
                                                         "PostgreSQL",
                                                         "Python-2.0",
                                                         "Python-2.0.1",
                                                         "Ruby",
                                                         "SSH-OpenSSH",
                                                         "Sleepycat",
                                                         "TCL",
                                                         "UPL-1.0",
                                                         "Unicode-3.0",
                                                         "Unicode-DFS-2016",
                                                         "Unlicense",
                                                         "Vim",
                                                         "W3C",
                                                         "WTFPL",
                                                         "X11",
                                                         "ZPL-2.1",
                                                         "Zlib",
                                                         "curl"};
constexpr std::array<std::string_view, 9> k_exceptions = {
    "Autoconf-exception-3.0", "Bison-exception-2.2", "Classpath-exception-2.0",      "GCC-exception-2.0",
    "GCC-exception-3.1",      "LLVM-exception",      "OCaml-LGPL-linking-exception", "OpenSSL-exception",
    "Linux-syscall-note"};

template <typename List>
bool is_listed(const List& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// Annex D: words, AND, OR, WITH, '+' behind an identifier, parentheses.
class ExpressionReader {
 public:
  explicit ExpressionReader(std::string_view text) {
    std::string word;
    for (const char c : text) {
      const bool is_parenthesis = c == '(' || c == ')';
      if (c != ' ' && !is_parenthesis) {
        word += c;
        continue;
      }
      if (!word.empty()) words_.push_back(std::exchange(word, {}));
      if (is_parenthesis) words_.emplace_back(1, c);
    }
    if (!word.empty()) words_.push_back(word);
  }

  bool is_whole() { return read_any(0) && next_ == words_.size(); }

 private:
  bool take(std::string_view word) {
    if (next_ == words_.size() || words_[next_] != word) return false;
    ++next_;
    return true;
  }

  bool read_any(int depth) {
    do {
      if (!read_one(depth)) return false;
    } while (take("AND") || take("OR"));
    return true;
  }

  bool read_one(int depth) {
    constexpr int k_deepest = 20;
    if (depth > k_deepest || next_ == words_.size()) return false;
    if (take("(")) return read_any(depth + 1) && take(")");
    std::string_view name = words_[next_++];
    if (name.ends_with('+')) name.remove_suffix(1);
    if (!is_listed(k_licenses, name)) return false;
    return !take("WITH") || (next_ < words_.size() && is_listed(k_exceptions, words_[next_++]));
  }

  std::vector<std::string> words_;
  std::size_t next_ = 0;
};

const char* purl_type_of(Ecosystem ecosystem) {
  switch (ecosystem) {
    case Ecosystem::deb:
      return "deb";
    case Ecosystem::apk:
      return "apk";
    case Ecosystem::pypi:
      return "python";
    case Ecosystem::npm:
      return "npm";
  }
  return "package";
}

// Letters, digits, '.' and '-' alone are allowed in an identifier; the hash keeps apart what is alike then.
std::string spdx_id(const Package& package, const std::string& url) {
  std::string name;
  for (const char c : package.name) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
    name += is_plain ? c : '-';
  }
  const auto hash = Sha256().update_field(url).update_field(package.location).finish_hex().substr(0, 12);
  return fmt::format("SPDXRef-Package-{}-{}-{}", purl_type_of(package.ecosystem), name, hash);
}

class DocumentWriter {
 public:
  explicit DocumentWriter(const SpdxDocument& document) : document_(document) {}

  std::string write() {
    const auto image = std::string(document_.image.hex());
    const std::string image_id = "SPDXRef-Image";
    Json packages = Json::array({image_package(image, image_id)});
    Json relations = Json::array({relation("SPDXRef-DOCUMENT", "DESCRIBES", image_id)});
    for (const auto& package : document_.packages) {
      const auto url = package_url(package, document_.distribution);
      const auto id = spdx_id(package, url);
      packages.push_back(package_entry(package, url, id));
      relations.push_back(relation(image_id, "CONTAINS", id));
    }
    Json json;
    json["spdxVersion"] = "SPDX-2.3";
    json["dataLicense"] = "CC0-1.0";
    json["SPDXID"] = "SPDXRef-DOCUMENT";
    json["name"] = "sha256-" + image;
    // The specification's own place for documents of those who have none.
    json["documentNamespace"] = "https://spdx.org/spdxdocs/tektii-sha256-" + image;
    json["creationInfo"] = {{"created", format_rfc3339(document_.created)},
                            {"creators", Json::array({"Tool: tektii"})}};
    json["packages"] = std::move(packages);
    json["relationships"] = std::move(relations);
    if (!texts_.empty()) json["hasExtractedLicensingInfos"] = extracted_licenses();
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
  }

 private:
  static Json relation(const std::string& from, const char* type, const std::string& to) {
    return {{"spdxElementId", from}, {"relationshipType", type}, {"relatedSpdxElement", to}};
  }

  Json image_package(const std::string& image, const std::string& id) const {
    Json entry = {{"SPDXID", id}, {"name", "image"}, {"versionInfo", "sha256:" + image}};
    entry["downloadLocation"] = "NOASSERTION";
    entry["filesAnalyzed"] = false;
    entry["licenseConcluded"] = "NOASSERTION";
    entry["licenseDeclared"] = "NOASSERTION";
    entry["copyrightText"] = "NOASSERTION";
    entry["primaryPackagePurpose"] = "CONTAINER";
    if (!document_.distribution.name.empty()) entry["comment"] = document_.distribution.name;
    return entry;
  }

  Json package_entry(const Package& package, const std::string& url, const std::string& id) {
    Json entry = {{"SPDXID", id}, {"name", package.name}, {"versionInfo", package.version}};
    if (!package.supplier.empty()) entry["supplier"] = "Person: " + package.supplier;
    entry["downloadLocation"] = "NOASSERTION";
    entry["filesAnalyzed"] = false;
    if (package.homepage.find("://") != std::string::npos) entry["homepage"] = package.homepage;
    entry["sourceInfo"] = "from the package database of the image: /" + package.location;
    entry["licenseConcluded"] = "NOASSERTION";
    entry["licenseDeclared"] = license_of(package.license);
    entry["copyrightText"] = "NOASSERTION";
    entry["externalRefs"] =
        Json::array({{{"referenceCategory", "PACKAGE-MANAGER"}, {"referenceType", "purl"}, {"referenceLocator", url}}});
    return entry;
  }

  std::string license_of(const std::string& stated) {
    auto text = std::string(trim(stated));
    if (text.empty()) return "NOASSERTION";
    if (is_license_expression(text)) return text;
    if (text.size() > k_longest_license) text.resize(k_longest_license);
    auto reference = "LicenseRef-" + Sha256::hex_of(text).substr(0, 12);
    texts_.emplace(reference, text);
    return reference;
  }

  Json extracted_licenses() const {
    Json array = Json::array();
    for (const auto& [reference, text] : texts_) {
      array.push_back({{"licenseId", reference}, {"extractedText", text}});
    }
    return array;
  }

  const SpdxDocument& document_;
  std::map<std::string, std::string> texts_;  // of licences, by their references
};

}  // namespace

bool is_license_expression(std::string_view text) {
  return ExpressionReader(text).is_whole();
}

std::string make_spdx(SpdxDocument document) {
  auto& packages = document.packages;
  std::sort(packages.begin(), packages.end());
  packages.erase(std::unique(packages.begin(), packages.end()), packages.end());
  return DocumentWriter(document).write();
}

}  // namespace tektii::attest
