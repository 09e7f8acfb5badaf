#include "cli/commands/cache.hpp"

#include "cli/build/cache_areas.hpp"
#include "cli/build/cache_limit.hpp"
#include "cli/commands/cache_view.hpp"
#include "cli/exit_code.hpp"
#include <tektii/exec/user_namespace.hpp>
#include <tektii/store/gc.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <unistd.h>

#include <memory>

namespace tektii::cli {

namespace {

// Unpacked layers of an ordinary user belong to the user's subordinate ids.
void enter_namespace() {
  if (::geteuid() == 0) return;
  if (const auto missing = exec::enter_build_namespace()) {
    spdlog::info("unpacked layers are out of reach: {}", missing->reason);
  }
}

[[noreturn]] void refuse(const std::string& option, const std::string& value, const char* what, const char* hint) {
  throw Error(ErrorKind::usage, fmt::format("{} {}: {}", option, value, what)).add_hint(hint);
}

std::chrono::seconds duration_of(const std::string& option, const std::string& value) {
  const auto duration = parse_duration(value);
  if (!duration) refuse(option, value, "this is no duration", "use for instance 24h, 7d or 1h30m");
  return *duration;
}

store::PruneOptions read_options(const CachePruneOptions& given) {
  store::PruneOptions options;
  if (!given.keep_storage.empty()) {
    options.keep_storage = parse_size(given.keep_storage);
    if (!options.keep_storage) {
      refuse("--keep-storage", given.keep_storage, "this is no size", "use for instance 10GB or 512MiB");
    }
  }
  if (!given.older_than.empty()) options.older_than = duration_of("--older-than", given.older_than);
  for (const auto& filter : given.filters) {
    constexpr std::string_view k_until = "until=";
    if (!filter.starts_with(k_until)) {
      refuse("--filter", filter, "there is no such filter", "until=24h is the only one; it is --older-than 24h");
    }
    options.older_than = duration_of("--filter", filter.substr(k_until.size()));
  }
  options.images = given.all;
  options.dry_run = given.dry_run;
  return options;
}

}  // namespace

void setup_cache(CLI::App& root, CommandContext& context) {
  CLI::App* cache = root.add_subcommand("cache", "Show and clear what builds keep for the next ones");
  cache->require_subcommand(1);
  cache->footer(
      "The cache is in $TEKTII_CACHE_DIR, else in $XDG_CACHE_HOME/tektii or ~/.cache/tektii. After a build it is\n"
      "brought below a limit, least recently used first: $TEKTII_CACHE_LIMIT is a size, a share of the disk (15%)\n"
      "or off [default: 10% of the disk, at least 10 GB, at most as much as is left free].");

  CLI::App* du = cache->add_subcommand("du", "Show how much disk the cache takes");
  context.on_selected(*du, [&context] { return run_cache_du(context); });

  CLI::App* prune = cache->add_subcommand("prune", "Remove what no running build uses");
  auto options = std::make_shared<CachePruneOptions>();
  prune->add_option("--keep-storage", options->keep_storage,
                    "Leave this much, and remove what was not used for longest: 10GB, 512MiB");
  prune->add_option("--older-than", options->older_than, "Only what was not used for so long: 24h, 7d");
  prune->add_option("--filter", options->filters, "until=24h is --older-than 24h")->allow_extra_args(false);
  prune->add_flag("-a,--all", options->all, "Also images that builds without --push or --output have left");
  prune->add_flag("--dry-run", options->dry_run, "Only say what would be removed");
  prune->add_flag("-f,--force", options->force, "Changes nothing: no question is asked");
  context.on_selected(*prune, [options, &context] { return run_cache_prune(*options, context); });
}

int run_cache_du(CommandContext& context) {
  enter_namespace();
  store::Store store(store::Store::default_root());
  store.interrupt_by(context.stop());
  store::GarbageCollector collector(store, cache_areas(), context.clock);
  const auto entries = collector.entries(context.stop());
  context.print_result(usage_json(store.root(), entries), usage_text(entries));
  return k_exit_ok;
}

int run_cache_prune(const CachePruneOptions& given, CommandContext& context) {
  const auto options = read_options(given);
  enter_namespace();
  store::Store store(store::Store::default_root());
  store.interrupt_by(context.stop());
  store::GarbageCollector collector(store, cache_areas(), context.clock);
  const auto wait = [&] { context.terminal.info("Waiting for another process that clears the cache"); };
  const auto result = collector.prune(options, wait, context.stop());
  context.print_result(prune_json(result, options.dry_run), prune_text(result, options.dry_run));
  for (const auto& failure : result.failures) context.terminal.warning(escape_control(failure));
  return result.failures.empty() ? k_exit_ok : k_exit_failure;
}

}  // namespace tektii::cli
