#include "names.hpp"

#include <tektii/oci/reference.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <vector>

namespace tektii::builder {
namespace {

SourceName source_of(const std::string& key, const NamedContext& context, const std::string& written) {
  if (context.kind == NamedContext::Kind::directory) {
    return {SourceName::Kind::directory, -1, key, written, true};
  }
  if (context.image == "scratch") return {SourceName::Kind::scratch, -1, context.image, written, true};
  return {SourceName::Kind::image, -1, context.image, written, true};
}

int stage_count(const dockerfile::Dockerfile& file) {
  return static_cast<int>(file.stages.size());
}

std::vector<std::string> stage_names(const dockerfile::Dockerfile& file) {
  std::vector<std::string> names;
  for (const auto& stage : file.stages) {
    if (!stage.name.empty()) names.push_back(stage.name);
  }
  return names;
}

// A stage, or what a --build-context puts in its place.
SourceName stage_or_context(const dockerfile::Dockerfile& file, const BuildRequest& request, int stage,
                            const std::string& written) {
  const auto& name = file.stages[static_cast<std::size_t>(stage)].name;
  if (!name.empty()) {
    if (auto context = find_named_context(request, name)) {
      context->written = written;
      return *context;
    }
  }
  return {SourceName::Kind::stage, stage, written, written};
}

}  // namespace

std::optional<int> find_stage(const dockerfile::Dockerfile& file, const std::string& name, int before) {
  const auto lower = to_lower(name);
  if (lower.empty()) return std::nullopt;
  for (int i = before - 1; i >= 0; --i) {
    if (file.stages[static_cast<std::size_t>(i)].name == lower) return i;
  }
  return std::nullopt;
}

std::string full_image_name(const std::string& name) {
  try {
    return oci::ImageReference::parse(name).str();
  } catch (const Error&) {
    return to_lower(name);  // where it is opened as an image, that says what is wrong with it
  }
}

std::optional<SourceName> find_named_context(const BuildRequest& request, const std::string& name) {
  if (request.named_contexts.empty()) return std::nullopt;
  if (equals_ignoring_case(name, "scratch") || equals_ignoring_case(name, "context")) return std::nullopt;
  if (const auto found = request.named_contexts.find(name); found != request.named_contexts.end()) {
    return source_of(found->first, found->second, name);
  }
  const auto full = full_image_name(name);
  for (const auto& [key, context] : request.named_contexts) {
    if (full_image_name(key) == full) return source_of(key, context, name);
  }
  return std::nullopt;
}

SourceName resolve_base_name(const dockerfile::Dockerfile& file, const BuildRequest& request, int index,
                             const std::string& name) {
  if (const auto stage = find_stage(file, name, index)) return stage_or_context(file, request, *stage, name);
  if (equals_ignoring_case(name, "scratch")) return {SourceName::Kind::scratch, -1, name, name};
  if (const auto context = find_named_context(request, name)) return *context;
  return {SourceName::Kind::image, -1, name, name};
}

SourceName resolve_from_name(const dockerfile::Dockerfile& file, const BuildRequest& request, int index,
                             const std::string& from) {
  if (from.find('$') != std::string::npos) {
    throw Error(ErrorKind::usage, fmt::format("variable expansion is not supported for --from: {}", from))
        .add_hint("define a new stage with FROM using ARG from the global scope, and name that stage");
  }
  if (const auto stage = find_stage(file, from, index)) return stage_or_context(file, request, *stage, from);
  if (const auto number = parse_int(from)) {
    if (*number >= 0 && *number < index) {
      return stage_or_context(file, request, static_cast<int>(*number), from);
    }
    throw Error(ErrorKind::usage, fmt::format("invalid stage index {}: only earlier stages can be copied from", from));
  }
  if (const auto context = find_named_context(request, from)) return *context;
  if (find_stage(file, from, stage_count(file))) {
    throw Error(ErrorKind::usage,
                fmt::format("--from={} names this or a later stage: only earlier stages can be copied from", from));
  }
  if (equals_ignoring_case(from, "scratch")) return {SourceName::Kind::scratch, -1, from, from};
  return {SourceName::Kind::image, -1, from, from};
}

int find_target(const dockerfile::Dockerfile& file, const std::string& target) {
  const int count = stage_count(file);
  if (target.empty()) return count - 1;
  if (const auto named = find_stage(file, target, count)) return *named;
  if (const auto index = parse_int(target); index && *index >= 0 && *index < count) return static_cast<int>(*index);
  const auto names = stage_names(file);
  Error error(ErrorKind::usage, fmt::format("target stage \"{}\" could not be found in {}", target, file.name));
  if (const auto match = closest_match(target, names)) {
    error.add_hint(fmt::format("did you mean {}?", *match));
  } else if (!names.empty()) {
    error.add_hint(fmt::format("stages in this file: {}", join(names, ", ")));
  }
  throw error;
}

}  // namespace tektii::builder
