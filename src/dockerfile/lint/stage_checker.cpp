#include "dockerfile/lint/stage_checker.hpp"

#include "dockerfile/lint/suggest.hpp"
#include <tektii/dockerfile/history.hpp>
#include <tektii/dockerfile/values.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <variant>
#include <vector>

namespace tektii::dockerfile {
namespace {

// Variables of the build that never reach the environment.
bool is_never_set(std::string_view name) {
  return name == "BUILDKIT_SBOM_SCAN_CONTEXT" || name == "BUILDKIT_SBOM_SCAN_STAGE";
}

// A word between underscores that speaks of a secret, unless another one says that it is none (PUBLIC_KEY, TOKEN_FILE).
bool names_secret(const std::string& key) {
  static constexpr std::array<std::string_view, 10> k_secret = {
      "apikey", "auth", "credential", "credentials", "key", "password", "pword", "passwd", "secret", "token"};
  static constexpr std::array<std::string_view, 3> k_harmless = {"public", "file", "version"};
  bool secret = false;
  for (const std::string& part : split(to_lower(key), '_')) {
    if (std::find(k_harmless.begin(), k_harmless.end(), part) != k_harmless.end()) return false;
    secret = secret || std::find(k_secret.begin(), k_secret.end(), part) != k_secret.end();
  }
  return secret;
}

bool is_remote(std::string_view source) {
  constexpr std::array<std::string_view, 5> k_prefixes = {"http://", "https://", "git://", "ssh://", "git@"};
  return std::any_of(k_prefixes.begin(), k_prefixes.end(),
                     [&](std::string_view prefix) { return source.starts_with(prefix); });
}

// filepath.Clean
std::string clean_path(const std::string& path) {
  std::string clean = std::filesystem::path(path).lexically_normal().string();
  if (clean.size() > 1 && clean.ends_with('/')) clean.pop_back();
  return clean.empty() ? "." : clean;
}

}  // namespace

void StageChecker::check(const Instruction& instruction, const Instruction& place) {
  const Site site{instruction, place};
  std::visit([&](const auto& body) { check_body(site, body); }, instruction.body);
}

LintWord StageChecker::expand(const Site& site, std::string_view word, const ExpandOptions& options) {
  LintWord result = expand_for_lint(word, scope_.environment, options);
  report_undefined(site, result);
  // ${X:?} may be satisfied by a base image that is not known.
  if (result.failure && result.known) {
    throw Error(*result.failure).set_span(file_.span(site.place.lines, word));
  }
  return result;
}

LintWord StageChecker::expand(const Site& site, std::string_view word) {
  return expand(site, word, {.escape = file_.directives.escape});
}

void StageChecker::report_undefined(const Site& site, const LintWord& word) {
  if (!scope_.environment.is_complete()) return;
  for (const std::string& name : word.missing) {
    if (scope_.environment.is_declared(name) || is_never_set(name)) continue;
    const std::string meant = suggest_name(name, scope_.environment.names());
    const bool braced = file_.span(site.place.lines, "${" + name).column != 0;
    reporter_.add(LintRule::undefined_var, site.place,
                  fmt::format("Usage of undefined variable '${}'{}", name,
                              meant.empty() ? "" : fmt::format(" (did you mean ${}?)", meant)),
                  (braced ? "${" : "$") + name);
  }
}

void StageChecker::check_secret(const Site& site, std::string_view instruction, const std::string& key) {
  if (!names_secret(key)) return;
  reporter_.add(
      LintRule::secrets_used_in_arg_or_env, site.place,
      fmt::format("Do not use ARG or ENV instructions for sensitive data ({} {})", instruction, go_quote(key)), key);
}

void StageChecker::check_body(const Site& site, const Arg& arg) {
  for (const Arg::Item& item : arg.items) {
    check_secret(site, "ARG", item.name);
    if (const auto given = facts_.build_args.find(item.name); given != facts_.build_args.end()) {
      scope_.environment.set(item.name, given->second);
    } else if (item.value) {
      LintWord word = expand(site, *item.value);
      scope_.environment.set(item.name, std::move(word.text), word.known);
    } else if (const auto global = globals_.environment.get(item.name)) {
      scope_.environment.set(item.name, *global);
    }
    scope_.environment.declare(item.name);
  }
}

void StageChecker::check_body(const Site& site, const Env& env) {
  std::vector<std::pair<LintWord, LintWord>> expanded;
  for (const KeyValue& pair : env.pairs) {
    LintWord key = expand(site, pair.key);
    expanded.emplace_back(std::move(key), expand(site, pair.value));
  }
  for (std::size_t i = 0; i < expanded.size(); ++i) {
    auto& [key, value] = expanded[i];
    if (env.pairs[i].no_delimiter) {
      reporter_.add(
          LintRule::legacy_key_value_format, site.place,
          fmt::format("\"{0} key=value\" should be used instead of legacy \"{0} key value\" format", site.keyword()),
          env.pairs[i].key);
    }
    check_secret(site, "ENV", key.text);
    scope_.environment.set(key.text, std::move(value.text), value.known);
  }
}

void StageChecker::check_body(const Site& site, const Label& label) {
  for (const KeyValue& pair : label.pairs) {
    expand(site, pair.key);
    expand(site, pair.value);
  }
  for (const KeyValue& pair : label.pairs) {
    if (!pair.no_delimiter) continue;
    reporter_.add(
        LintRule::legacy_key_value_format, site.place,
        fmt::format("\"{0} key=value\" should be used instead of legacy \"{0} key value\" format", site.keyword()),
        pair.key);
  }
}

// Only the first WORKDIR of the file matters: those after it are mended with it.
void StageChecker::check_body(const Site& site, const Workdir& workdir) {
  const LintWord path = expand(site, workdir.path);
  if (!scope_.workdir_set && path.known && !path.text.starts_with('/')) {
    reporter_.add(
        LintRule::workdir_relative_path, site.place,
        fmt::format("Relative workdir {} can have unexpected results if the base image changes", go_quote(path.text)),
        workdir.path);
  }
  scope_.workdir_set = true;
}

void StageChecker::check_body(const Site& site, const User& user) {
  expand(site, user.user);
}

void StageChecker::check_body(const Site& site, const Volume& volume) {
  for (const std::string& path : volume.paths) expand(site, path);
}

void StageChecker::check_body(const Site& site, const StopSignal& stop_signal) {
  expand(site, stop_signal.signal);
}

// Variables that are not set are no finding here, as in BuildKit: a port that comes to nothing is an error anyway.
void StageChecker::check_body(const Site& site, const Expose& expose) {
  for (const std::string& written : expose.ports) {
    bool known = true;
    const Lookup lookup = [&](std::string_view name) {
      known = known && scope_.environment.is_known(name);
      return scope_.environment.get(name);
    };
    try {
      const auto ports = expand_words(written, lookup, {.escape = file_.directives.escape});
      for (const std::string& port : ports) {
        if (known) check_port(site, port);
      }
    } catch (Error& error) {
      if (known) throw error.set_span(file_.span(site.place.lines, written));
    }
  }
}

void StageChecker::check_port(const Site& site, const std::string& port) {
  const std::size_t colon = port.rfind(':');
  const std::string container = colon == std::string::npos ? port : port.substr(colon + 1);
  const std::size_t slash = container.find('/');
  const std::string protocol = slash == std::string::npos ? "" : container.substr(slash + 1);
  const std::string lower = to_lower(protocol);
  if (protocol != lower && (lower == "tcp" || lower == "udp" || lower == "sctp") && slash != 0) {
    reporter_.add(LintRule::expose_proto_casing, site.place,
                  fmt::format("Defined protocol '{}' in EXPOSE instruction should be lowercase", port), port);
  }
  if (colon != std::string::npos && colon > 0) {
    reporter_.add(
        LintRule::expose_invalid_format, site.place,
        fmt::format("EXPOSE instruction should not define an IP address or host-port mapping, found '{}'", port), port);
  }
  parse_ports(port);
}

void StageChecker::check_body(const Site&, const Shell&) {
  scope_.has_shell = true;
}

void StageChecker::check_once(const Site& site, Tracker& last) {
  // The earlier one is reported, because it is the one without effect; a comment at either turns the rule off.
  if (last.place != nullptr && !reporter_.is_skipped_at(LintRule::multiple_instructions_disallowed, site.place)) {
    reporter_.add(LintRule::multiple_instructions_disallowed, *last.place,
                  fmt::format("Multiple {} instructions should not be used in the same stage because only the last one "
                              "will be used",
                              site.keyword()));
  }
  last.place = &site.place;
}

void StageChecker::check_json(const Site& site, const CommandLine& command) {
  if (command.exec_form || scope_.has_shell) return;
  reporter_.add(LintRule::json_args_recommended, site.place,
                fmt::format("JSON arguments recommended for {} to prevent unintended behavior related to OS signals",
                            site.keyword()),
                command.words.empty() ? std::string_view() : std::string_view(command.words.front()));
}

void StageChecker::check_body(const Site& site, const Cmd& cmd) {
  check_once(site, cmd_);
  check_json(site, cmd.command);
}

void StageChecker::check_body(const Site& site, const Entrypoint& entrypoint) {
  check_once(site, entrypoint_);
  check_json(site, entrypoint.command);
}

void StageChecker::check_body(const Site& site, const HealthcheckInstruction&) {
  check_once(site, healthcheck_);
}

void StageChecker::check_body(const Site& site, const Run& run) {
  for (const MountFlag& mount : run.mounts) {
    expand(site, mount.type);
    for (const auto& [key, value] : mount.options) expand(site, value);
  }
}

void StageChecker::check_body(const Site& site, const Copy& copy) {
  for (const auto& flag : {copy.chown, copy.chmod, copy.checksum}) {
    if (flag) expand(site, *flag);
  }
  std::vector<LintWord> sources;
  for (const std::string& source : copy.sources) sources.push_back(expand(site, source));
  expand(site, copy.destination);
  for (const Heredoc& heredoc : copy.heredocs) {
    // Heredocs are the shell's, so their escape character is, too.
    if (heredoc.expand) expand(site, heredoc.content, {.raw_quotes = true});
  }
  for (const LintWord& source : sources) {
    if (source.known) check_source(site, copy, source.text);
  }
}

void StageChecker::check_source(const Site& site, const Copy& copy, const std::string& source) {
  if (!facts_.is_excluded || copy.from || is_remote(source)) return;
  const std::string clean = clean_path(source);
  const std::size_t start = std::min(clean.find_first_not_of('/'), clean.size());
  if (!facts_.is_excluded(start == clean.size() ? "." : clean.substr(start))) return;
  reporter_.add(LintRule::copy_ignored_file, site.place,
                fmt::format("Attempting to {} file {} that is excluded by .dockerignore", copy.is_add ? "Add" : "Copy",
                            go_quote(clean)),
                source);
}

}  // namespace tektii::dockerfile
