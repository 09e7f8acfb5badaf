#include "cache_options.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/go_text.hpp>
#include <tektii/util/text.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace tektii::cli {
namespace {

namespace fs = std::filesystem;

// One --cache-from or --cache-to taken apart.
struct Entry {
  const char* option;
  const std::string& given;
  std::string type = {};
  std::map<std::string, std::string> attributes = {};

  bool is_export() const { return std::string_view(option) == "--cache-to"; }

  [[noreturn]] void refuse(const std::string& what, const std::string& hint = {}) const {
    Error error(ErrorKind::usage, fmt::format("{} {}: {}", option, escape_control(given), escape_control(what)));
    if (!hint.empty()) error.add_hint(hint);
    throw error;
  }

  std::string take(const std::string& key) {
    const auto found = attributes.find(key);
    if (found == attributes.end()) return {};
    auto value = found->second;
    attributes.erase(found);
    if (value.empty()) refuse(fmt::format("{} has no value", key));
    return value;
  }

  bool take_bool(const std::string& key, bool otherwise) {
    const auto value = take(key);
    if (value.empty()) return otherwise;
    const auto parsed = parse_go_bool(value);
    if (!parsed) refuse(fmt::format("{}={} is neither true nor false", key, value));
    return *parsed;
  }
};

std::string usage_of(const Entry& entry) {
  return entry.is_export() ? "use type=local,dest=DIR or type=registry,ref=NAME, both with mode=min or mode=max, or "
                             "type=inline"
                           : "use type=local,src=DIR or type=registry,ref=NAME";
}

Entry parse_entry(const char* option, const std::string& given) {
  Entry entry{option, given};
  // As in buildx: without any "=" it is the name of a cache in a registry.
  if (given.find('=') == std::string::npos) {
    entry.type = "registry";
    entry.attributes["ref"] = given;
    if (given.empty()) entry.refuse("the name is missing", usage_of(entry));
    return entry;
  }
  for (const auto& field : split_csv(given, fmt::format("{} {}", option, given))) {
    const auto equals = field.find('=');
    if (equals == std::string::npos) entry.refuse(fmt::format("{} is no key=value", field), usage_of(entry));
    const auto key = to_lower(trim(field.substr(0, equals)));
    (key == "type" ? entry.type : entry.attributes[key]) = field.substr(equals + 1);
  }
  if (entry.type.empty()) entry.refuse("the type is missing", usage_of(entry));
  return entry;
}

// What BuildKit has and we do not, by the key; and why.
std::string why_not(const std::string& key) {
  static const std::map<std::string, std::string> k_reasons = {
      {"compression", "a cache holds the layers as the image has them: --compression says how they are compressed"},
      {"compression-level", "a cache holds the layers as the image has them: use --compression TYPE:LEVEL"},
      {"force-compression", "a cache holds the layers as the image has them"},
      {"registry.insecure", "registries on loopback are spoken to by http, all others by https"},
  };
  const auto found = k_reasons.find(key);
  return found == k_reasons.end() ? std::string{} : found->second;
}

// Everything that is left over is refused by name.
void finish(const Entry& entry, const std::vector<std::string>& known) {
  if (entry.attributes.empty()) return;
  const auto& key = entry.attributes.begin()->first;
  if (const auto reason = why_not(key); !reason.empty()) {
    entry.refuse(fmt::format("{} is not supported", key), reason);
  }
  if (const auto match = closest_match(key, known)) {
    entry.refuse(fmt::format("unknown key {}", key), fmt::format("did you mean {}?", *match));
  }
  entry.refuse(fmt::format("type={} has no key {}", entry.type, key), "its keys are " + join(known, ", "));
}

void check_directory(const Entry& entry, const fs::path& directory) {
  std::error_code failure;
  if (!fs::exists(directory, failure)) return;
  const bool is_directory = fs::is_directory(directory, failure);
  if (!is_directory) entry.refuse(fmt::format("{} is not a directory", directory.string()));
  // A store is an OCI layout too, but one whose blobs are not named in its index.
  if (fs::exists(directory / "actions", failure)) {
    entry.refuse(fmt::format("{} is a store (TEKTII_CACHE_DIR)", directory.string()), "name a directory of its own");
  }
  if (fs::is_empty(directory, failure) || fs::exists(directory / "oci-layout", failure)) return;
  entry.refuse(fmt::format("{} is not empty and not an OCI image layout", directory.string()),
               "name a new or empty directory");
}

// What an OCI layout can hold as a name (image-spec annotations.md, org.opencontainers.image.ref.name). Anything else
// would be written as another name than is looked for.
std::string take_tag(Entry& entry) {
  constexpr std::size_t k_longest = 128;
  const auto tag = entry.take("tag");
  if (tag.empty()) return tag;
  const auto is_alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const auto may_be_in_tag = [&](char c) {
    return is_alphanumeric(c) || std::string_view("-._:@/+").find(c) != std::string_view::npos;
  };
  if (tag.size() > k_longest || !(is_alphanumeric(tag.front()) || tag.front() == '_') ||
      !std::all_of(tag.begin(), tag.end(), may_be_in_tag)) {
    entry.refuse(
        fmt::format("\"{}\" is not a tag", tag),
        fmt::format("a tag has at most {} letters, digits and - . _ : @ / +, and begins with one of the first two "
                    "or _",
                    k_longest));
  }
  return tag;
}

oci::ImageReference take_reference(Entry& entry) {
  const auto text = entry.take("ref");
  if (text.empty()) entry.refuse("ref is missing", usage_of(entry));
  try {
    auto reference = oci::ImageReference::parse(text);
    if (entry.is_export() && reference.digest) entry.refuse("a cache can't be written to a digest", "name a tag");
    return reference;
  } catch (Error& error) {
    if (error.context().empty()) error.add_context(fmt::format("{} {}", entry.option, escape_control(entry.given)));
    throw;
  }
}

void check_type(const Entry& entry) {
  static constexpr std::array<std::string_view, 3> k_elsewhere = {"gha", "s3", "azblob"};
  if (entry.type == "local" || entry.type == "registry") return;
  if (entry.type == "inline" && entry.is_export()) return;
  if (entry.type == "inline") {
    entry.refuse("an image that carries a cache is named as one in a registry", "use type=registry,ref=IMAGE");
  }
  const bool is_known = std::find(k_elsewhere.begin(), k_elsewhere.end(), entry.type) != k_elsewhere.end();
  std::string hint = usage_of(entry);
  if (is_known) hint += "; a CI service can keep the directory of type=local between its jobs";
  entry.refuse(fmt::format("type={} is {}", entry.type, is_known ? "not supported" : "unknown"), hint);
}

CachePlace read_import(const std::string& given) {
  auto entry = parse_entry("--cache-from", given);
  check_type(entry);
  CachePlace place;
  if (entry.type == "registry") {
    place.reference = take_reference(entry);
    finish(entry, {"ref"});
    return place;
  }
  const auto source = entry.take("src");
  if (source.empty()) entry.refuse("src is missing", usage_of(entry));
  place.directory = fs::absolute(source);
  if (const auto tag = take_tag(entry); !tag.empty()) place.tag = tag;
  if (const auto digest = entry.take("digest"); !digest.empty()) {
    if (!oci::Digest::is_valid(digest)) entry.refuse(fmt::format("{} is no digest", digest));
    place.tag = digest;
  }
  finish(entry, {"src", "tag", "digest"});
  return place;
}

// Returns nullopt for type=inline, which is part of the image.
std::optional<CacheExportSpec> read_export(const std::string& given) {
  auto entry = parse_entry("--cache-to", given);
  check_type(entry);
  CacheExportSpec spec;
  spec.ignore_error = entry.take_bool("ignore-error", false);
  const auto mode = entry.take("mode");
  if (!mode.empty() && mode != "min" && mode != "max") {
    entry.refuse(fmt::format("there is no mode {}", mode), "min takes the steps of the image, max those of all stages");
  }
  spec.all_stages = mode == "max";
  if (entry.type == "inline") {
    if (spec.all_stages) entry.refuse("an image carries its own steps alone", "use mode=min, or another type");
    finish(entry, {"mode", "ignore-error"});
    return std::nullopt;
  }
  for (const char* key : {"oci-mediatypes", "image-manifest"}) {
    if (entry.take_bool(key, true)) continue;
    entry.refuse(fmt::format("{}=false is not supported", key),
                 "a cache is an OCI image manifest, see docs/cache-export.md");
  }
  if (entry.type == "registry") {
    spec.place.reference = take_reference(entry);
    finish(entry, {"ref", "mode", "ignore-error", "oci-mediatypes", "image-manifest"});
    return spec;
  }
  const auto destination = entry.take("dest");
  if (destination.empty()) entry.refuse("dest is missing", usage_of(entry));
  spec.place.directory = fs::absolute(destination);
  check_directory(entry, spec.place.directory);
  if (const auto tag = take_tag(entry); !tag.empty()) spec.place.tag = tag;
  finish(entry, {"dest", "tag", "mode", "ignore-error", "oci-mediatypes", "image-manifest"});
  return spec;
}

}  // namespace

std::string CachePlace::name() const {
  if (reference) return reference->str();
  return tag == "latest" ? directory.string() : fmt::format("{}:{}", directory.string(), tag);
}

void add_cache_options(CLI::App& command, CacheOptions& options) {
  command
      .add_option("--cache-from", options.from,
                  "Cache to take steps from: type=local,src=DIR, type=registry,ref=NAME or NAME, repeatable; an image "
                  "built with type=inline is one too")
      ->allow_extra_args(false);
  command
      .add_option("--cache-to", options.to,
                  "Write a cache: type=local,dest=DIR, type=registry,ref=NAME, each with mode=min|max (steps of the "
                  "image, or of all stages), or type=inline into the image, repeatable")
      ->allow_extra_args(false);
}

CacheSpecs read_cache_options(const CacheOptions& options) {
  CacheSpecs specs;
  for (const auto& given : options.from) specs.from.push_back(read_import(given));
  for (const auto& given : options.to) {
    if (auto spec = read_export(given)) {
      specs.to.push_back(std::move(*spec));
    } else {
      specs.is_inline = true;
    }
  }
  return specs;
}

}  // namespace tektii::cli
