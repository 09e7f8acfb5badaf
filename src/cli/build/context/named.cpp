#include "named.hpp"

#include "cli/images/image_name.hpp"
#include "layout.hpp"
#include "shown.hpp"
#include <tektii/oci/reference.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

namespace tektii::cli {
namespace {

namespace fs = std::filesystem;
using builder::NamedContext;

constexpr std::string_view k_image_scheme = "docker-image://";
constexpr const char* k_forms =
    "a context is a directory, oci-layout://DIR[:TAG|@DIGEST], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], "
    "docker-image://NAME, a git repository or the URL of a tar archive";

NamedContext image(std::string name) {
  return {NamedContext::Kind::image, {}, std::move(name), {}};
}

NamedContext directory(fs::path path, std::optional<std::int64_t> time) {
  return {NamedContext::Kind::directory, std::move(path), {}, time};
}

NamedContext load(const std::string& value, ContextLoader& loader, const BuildSecrets& secrets) {
  if (value.starts_with(k_layout_scheme)) return image(parse_layout(value).str());
  if (value.starts_with("oci:")) return image(parse_layout(std::string(k_layout_scheme) + value.substr(4)).str());
  if (const auto archive = parse_archive_name(value)) return image(archive->str());
  if (value.starts_with(k_image_scheme)) {
    auto name = value.substr(k_image_scheme.size());
    // "scratch" is no image, and means none.
    return image(name == "scratch" ? name : oci::ImageReference::parse(name).str());
  }
  std::error_code failure;
  if (fs::is_directory(value, failure)) return directory(fs::canonical(value), std::nullopt);
  if (const auto loaded = loader.load_named(value, secrets))
    return directory(loaded->directory, loaded->time.value_or(0));
  for (const std::string_view scheme : {"target:", "input:", "local:", "base:"}) {
    if (!value.starts_with(scheme)) continue;
    throw Error(ErrorKind::usage, fmt::format("{} contexts come from bake files and are not supported", scheme))
        .add_hint("build that target by itself with --output type=oci,dest=DIR, and name oci-layout://DIR here");
  }
  const auto* problem = value.find("://") != std::string::npos ? "is of a kind that is not supported"
                        : fs::exists(value, failure)           ? "is not a directory"
                                                               : "is not a directory, and nothing else either";
  throw Error(ErrorKind::usage, fmt::format("{} {}", shown_context(value), problem)).add_hint(k_forms);
}

}  // namespace

std::map<std::string, NamedContext> read_named_contexts(const std::vector<std::string>& given, ContextLoader& loader,
                                                        const BuildSecrets& secrets) {
  std::map<std::string, NamedContext> contexts;
  for (const auto& text : given) {
    const auto equals = text.find('=');
    // A URL has its '=' in the query: the name is forgotten.
    const bool has_name = equals != std::string::npos && equals != 0 && text.find("://") >= equals;
    if (!has_name || equals + 1 == text.size()) {
      throw Error(ErrorKind::usage, fmt::format("--build-context {}: expected NAME=CONTEXT", shown_context(text)))
          .add_hint(k_forms);
    }
    const auto name = text.substr(0, equals);
    try {
      oci::ImageReference::parse(name);  // what FROM and --from compare it with
    } catch (const Error& error) {
      throw Error(ErrorKind::usage, fmt::format("--build-context {}: {}", shown_context(text), error.message()));
    }
    try {
      contexts[name] = load(text.substr(equals + 1), loader, secrets);
    } catch (Error& error) {
      if (error.kind() != ErrorKind::interrupted) error.add_context("--build-context " + escape_control(name));
      throw;
    }
  }
  return contexts;
}

}  // namespace tektii::cli
