#include "named_epoch.hpp"

#include "source_date.hpp"
#include <tektii/builder/build.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <cstdlib>
#include <string>

namespace tektii::cli {
namespace {

constexpr const char* k_name = "SOURCE_DATE_EPOCH";

std::optional<std::int64_t> time_of(const std::string& name, const builder::BuildRequest& request,
                                    std::optional<std::int64_t> context_time) {
  if (name.empty()) return std::nullopt;
  if (name == "context") return context_time;
  const auto named = request.named_contexts.find(name);
  if (named == request.named_contexts.end()) {
    throw Error(ErrorKind::usage, fmt::format("{}: {} is not a time in seconds since 1970", k_name, name))
        .add_hint("give a number, \"context\", or the name of a --build-context");
  }
  if (named->second.kind != builder::NamedContext::Kind::directory) return std::nullopt;
  if (named->second.time) return named->second.time;
  return local_commit_time(named->second.directory);
}

}  // namespace

void resolve_epoch_argument(builder::BuildRequest& request, std::optional<std::int64_t> context_time) {
  const char* environment = std::getenv(k_name);
  const bool is_option = request.build_args.contains(k_name);
  if (!is_option && environment != nullptr && *environment != '\0') return;
  const auto argument = builder::source_date_epoch_argument(request);
  if (!argument) return;
  const std::string text(trim(*argument));
  if (parse_int(text)) {
    request.build_args[k_name] = text;
  } else if (const auto time = possible_time(time_of(text, request, context_time))) {
    request.build_args[k_name] = std::to_string(*time);
  } else {
    request.build_args.erase(k_name);
  }
}

}  // namespace tektii::cli
