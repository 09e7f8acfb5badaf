#include "annotations.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <optional>
#include <string_view>

namespace tektii::cli {
namespace {

struct Level {
  std::string_view name;
  Annotations::Values Annotations::*values;
  bool takes_platform;
};

constexpr Level k_levels[] = {{"manifest", &Annotations::manifest, true},
                              {"manifest-descriptor", &Annotations::manifest_descriptor, true},
                              {"index", &Annotations::index, false},
                              {"index-descriptor", &Annotations::index_descriptor, false}};

[[noreturn]] void refuse(const std::string& given, const std::string& why, const std::string& hint) {
  throw Error(ErrorKind::usage, fmt::format("--annotation {}: {}", escape_control(given), why)).add_hint(hint);
}

// The "[linux/amd64]" behind a level, taken off it.
std::optional<std::string> take_platform(const std::string& given, std::string& level) {
  const auto bracket = level.find('[');
  if (bracket == std::string::npos) return std::nullopt;
  if (!level.ends_with(']') || level.size() == bracket + 2) {
    refuse(given, fmt::format("{} is no level with a platform", level), "write manifest[linux/amd64]:KEY=VALUE");
  }
  auto platform = level.substr(bracket + 1, level.size() - bracket - 2);
  level.resize(bracket);
  return platform;
}

const Level& find_level(const std::string& given, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& level : k_levels) {
    if (level.name == name) return level;
    names.emplace_back(level.name);
  }
  const auto meant = closest_match(name, names);
  refuse(given, fmt::format("unknown level {}", name),
         meant ? fmt::format("did you mean {}?", *meant) : fmt::format("there are {}", join(names, ", ")));
}

void check_platform(const std::string& given, const std::string& text, const oci::Platform& built) {
  std::optional<oci::Platform> platform;
  try {
    platform = oci::Platform::parse(text);
  } catch (const Error& error) {
    refuse(given, error.message(), fmt::format("the image is for {}", built.str()));
  }
  if (platform->normalised() == built.normalised()) return;
  refuse(given, fmt::format("nothing is built for {}", text), fmt::format("the image is for {}", built.str()));
}

}  // namespace

Annotations parse_annotations(const std::vector<std::string>& given, const oci::Platform& platform) {
  Annotations annotations;
  for (const auto& text : given) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) refuse(text, "a value is missing", "write KEY=VALUE, or LEVEL:KEY=VALUE");
    // As in buildx the first colon before the '=' ends the levels.
    const auto before = text.substr(0, equals);
    const auto colon = before.find(':');
    const auto key = colon == std::string::npos ? before : before.substr(colon + 1);
    if (key.empty()) refuse(text, "the key is missing", "write KEY=VALUE, or LEVEL:KEY=VALUE");
    for (auto name : split(colon == std::string::npos ? "manifest" : before.substr(0, colon), ',')) {
      const auto wanted = take_platform(text, name);
      const auto& level = find_level(text, name);
      if (wanted && !level.takes_platform) {
        refuse(text, fmt::format("{} takes no platform", name), "an index is for all of its platforms");
      }
      if (wanted) check_platform(text, *wanted, platform);
      (annotations.*level.values)[key] = text.substr(equals + 1);
    }
  }
  return annotations;
}

void require_places(const Annotations& annotations, const AnnotationPlaces& places) {
  const auto refuse_all = [](const char* level, const Annotations::Values& values, const char* why, const char* hint) {
    throw Error(ErrorKind::usage, fmt::format("--annotation {}:{}: {}", level, values.begin()->first, why))
        .add_hint(hint);
  };
  if (!annotations.index.empty() && !places.has_index) {
    refuse_all("index", annotations.index, "the image is one manifest without an index",
               "leave the level out to annotate the manifest, or ask for an attestation, which brings an index");
  }
  if (!annotations.index_descriptor.empty() && !(places.has_index && places.has_layout)) {
    refuse_all("index-descriptor", annotations.index_descriptor,
               places.has_index ? "a registry has no place for it" : "the image is one manifest without an index",
               "it is kept in the index.json of an OCI layout (--output type=oci) of an image with attestations");
  }
  if (!annotations.manifest_descriptor.empty() && !places.has_index && !places.has_layout) {
    refuse_all("manifest-descriptor", annotations.manifest_descriptor, "nothing describes the manifest",
               "it needs an OCI layout (--output type=oci) or an index, which attestations bring");
  }
}

}  // namespace tektii::cli
