#pragma once

#include <tektii/dockerfile/instruction.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The `created_by` texts of image history as BuildKit writes them, so that two builders can be compared by `docker
// history`. Every argument is expanded already. The comment beside them is k_history_comment.
namespace tektii::dockerfile {

inline constexpr std::string_view k_history_comment = "buildkit.dockerfile.v0";

// A source of ADD, or a whole instruction, as it may be shown: http(s) URLs without user information, ssh and git URLs
// without a password.
std::string without_url_credentials(std::string_view text);

// strconv.Quote of Go (%q).
std::string go_quote(std::string_view text);
// %q of a slice: ["a" "b"].
std::string go_quote_list(std::span<const std::string> words);
// time.Duration.String of Go: "1m30s".
std::string format_go_duration(std::int64_t nanoseconds);

// RUN: `args` are the build arguments declared so far as name and value; `argv` is what is executed, the shell
// included.
std::string history_run(std::span<const std::pair<std::string, std::string>> args, std::span<const std::string> argv);
// COPY and ADD; of the flags only --parents, --chown and --chmod are shown. Unlike BuildKit's, without credentials.
std::string history_copy(const Copy& copy);
std::string history_workdir(std::string_view absolute_path);
std::string history_env(std::span<const KeyValue> pairs);
std::string history_label(std::span<const KeyValue> pairs);
std::string history_arg(const Arg& arg);
// The command line as it goes into the config, the shell included.
std::string history_cmd(std::span<const std::string> argv);
std::string history_entrypoint(std::span<const std::string> argv);
// `ports` as parse_ports gives them.
std::string history_expose(std::span<const std::string> ports);
std::string history_volume(std::span<const std::string> paths);
std::string history_user(std::string_view user);
std::string history_stopsignal(std::string_view signal);
std::string history_shell(std::span<const std::string> words);
std::string history_maintainer(std::string_view name);
// `test` as it goes into the config: {"CMD-SHELL", ...}, {"CMD", ...} or {"NONE"}.
std::string history_healthcheck(const HealthcheckInstruction& check, std::span<const std::string> test);

}  // namespace tektii::dockerfile
