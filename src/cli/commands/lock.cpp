#include "cli/commands/lock.hpp"

#include "cli/build/driver.hpp"
#include "cli/commands/build.hpp"
#include "cli/exit_code.hpp"
#include <tektii/oci/reference.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace tektii::cli {

namespace {

// Every entry by its key, with what it is locked to.
std::map<std::string, std::string> entries_of(const LockFile& lock) {
  std::map<std::string, std::string> entries;
  for (const auto& [key, digest] : lock.images) entries.emplace(key, digest.str());
  for (const auto& [key, file] : lock.files) entries.emplace(key, file.digest.str());
  for (const auto& [key, commit] : lock.repositories) entries.emplace(key, commit);
  return entries;
}

std::vector<std::string> differences(const LockFile& before, const LockFile& after) {
  const auto old = entries_of(before);
  const auto now = entries_of(after);
  std::vector<std::string> lines;
  for (const auto& [key, value] : now) {
    const auto known = old.find(key);
    const auto shown = escape_control(key);
    if (known == old.end()) {
      lines.push_back(fmt::format("+ {} {}", shown, value));
    } else if (known->second != value) {
      lines.push_back(fmt::format("~ {} {} (was {})", shown, value, known->second));
    }
  }
  for (const auto& [key, value] : old) {
    if (!now.contains(key)) lines.push_back(fmt::format("- {} {}", escape_control(key), value));
  }
  if (before.build_args != after.build_args) lines.emplace_back("~ build arguments");
  return lines;
}

// "python:3.12" for the entry docker.io/library/python:3.12, or the key as it stands in the file.
void forget(LockFile& lock, const std::string& name) {
  std::string full = name;
  try {
    full = oci::ImageReference::parse(name).str();
  } catch (const Error&) {
    full = name;  // a URL
  }
  const auto removed = lock.images.erase(full) + lock.files.erase(name) + lock.repositories.erase(name);
  if (removed > 0) return;
  std::vector<std::string> names;
  for (const auto& [key, value] : entries_of(lock)) names.push_back(key);
  const auto meant = closest_match(full, names);
  throw Error(ErrorKind::usage, fmt::format("--update={}: the lock file has no such name", name))
      .add_hint(meant ? fmt::format("did you mean {}?", *meant)
                      : fmt::format("there are {}", escape_control(join(names, ", "))));
}

}  // namespace

void setup_lock(CLI::App& root, CommandContext& context) {
  CLI::App* lock = root.add_subcommand("lock", "Pin the bases and remote files of a Dockerfile to digests");
  auto options = std::make_shared<LockOptions>();
  auto& build = options->build;
  lock->add_option("CONTEXT", build.context, "The directory, git repository or archive that is built")->required();
  lock->add_option("-f,--file", build.file, "Dockerfile [default: CONTEXT/Dockerfile]");
  lock->add_option("--lock-file", build.lock_file, "The lock file [default: tektii.lock beside the Dockerfile]");
  lock->add_option("--build-arg", build.build_args, "Value for an ARG, NAME=VALUE or NAME from the environment")
      ->allow_extra_args(false);
  lock->add_option("--build-context", build.build_contexts, "What a name of FROM or --from stands for, as for build")
      ->allow_extra_args(false);
  lock->add_option("--target", build.target, "Stage to lock with what it needs [default: every stage]");
  lock->add_option("--secret", build.run.secrets, "As for build, for ADD from private repositories")
      ->allow_extra_args(false);
  lock->add_option("--progress", build.progress, "auto, tty, plain, json or quiet")->capture_default_str();
  auto* check = lock->add_flag("--check", options->check,
                               "Write nothing; exits with 1 when the file is not what would be written");
  lock->add_flag("--update{*}", options->only,
                 "Ask again for everything that is locked, or for NAME with --update=NAME")
      ->excludes(check);
  context.on_selected(*lock, [options, &context] {
    options->update = !options->only.empty();
    if (options->only == "*") options->only.clear();
    return run_lock(*options, context);
  });
}

int run_lock(const LockOptions& given, CommandContext& context) {
  LockOptions options = given;
  set_display(options.build, context);
  options.build.builds_nothing = true;
  const auto path = lock_path(options.build);
  const auto before = read_lock_file(path);
  LockFile kept = before.value_or(LockFile{});
  if (options.update && options.only.empty()) kept = LockFile{};
  if (!options.only.empty()) forget(kept, options.only);
  BuildDriver driver(options.build);
  const auto after = driver.lock(kept, context.stop());
  driver.settle();
  const auto changes = differences(before.value_or(LockFile{}), after);
  std::string text;
  for (const auto& line : changes) text += line + "\n";
  context.terminal.result(text);
  const auto bytes = after.serialise();
  if (options.check) {
    if (before && changes.empty()) return k_exit_ok;
    throw Error(ErrorKind::failure, before ? fmt::format("{} is not up to date", path.string())
                                           : fmt::format("there is no {}", path.string()))
        .add_hint("run tektii lock with the same options");
  }
  if (!before || *before != after) write_file_atomic(path, bytes);
  return k_exit_ok;
}

}  // namespace tektii::cli
