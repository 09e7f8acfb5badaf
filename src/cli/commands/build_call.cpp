#include "cli/commands/build_call.hpp"

#include "cli/build/call_json.hpp"
#include "cli/build/call_text.hpp"
#include "cli/build/driver.hpp"
#include "cli/exit_code.hpp"
#include "cli/render_error.hpp"
#include <tektii/dockerfile/lint.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tektii::cli {
namespace {

// "lint" is buildx's other name for "check".
const std::vector<std::pair<std::string, Call::Method>> k_methods = {{"build", Call::Method::build},
                                                                     {"check", Call::Method::check},
                                                                     {"lint", Call::Method::check},
                                                                     {"outline", Call::Method::outline},
                                                                     {"targets", Call::Method::targets}};

[[noreturn]] void fail(const std::string& message, const std::string& word, const std::vector<std::string>& choices) {
  Error error(ErrorKind::usage, message);
  if (const auto meant = closest_match(word, choices)) error.add_hint(fmt::format("did you mean {}?", *meant));
  throw error.add_hint("there are " + join(choices, ", "));
}

Call::Method parse_method(const std::string& word) {
  for (const auto& [name, method] : k_methods) {
    if (name == word) return method;
  }
  fail(fmt::format("--call {}: there is no such call", word), word, {"build", "check", "outline", "targets"});
}

bool parse_format(const std::string& value) {
  if (value != "json" && value != "text") {
    fail(fmt::format("--call format={}: there is no such format", value), value, {"text", "json"});
  }
  return value == "json";
}

bool parse_boolean(const std::string& value) {
  if (value == "true" || value == "1") return true;
  if (value != "false" && value != "0") {
    throw Error(ErrorKind::usage, fmt::format("--call ignorestatus={}: it must be true or false", value));
  }
  return false;
}

// The format that --output asks for; what else it says is for a build.
void take_output(const std::vector<std::string>& outputs, const std::string& what, Call& call) {
  for (const std::string& output : outputs) {
    if (output != "json" && output != "table") {
      throw Error(ErrorKind::usage, fmt::format("--output {} has no meaning with {}: nothing is built", output, what))
          .add_hint("--output json prints the result as JSON");
    }
    call.json = output == "json";
  }
}

void refuse(bool given, const char* option, const std::string& what) {
  if (!given) return;
  throw Error(ErrorKind::usage, fmt::format("{} has no meaning with {}: nothing is built", option, what));
}

int finish_check(const Call& call, const builder::DockerfileCheck& check, CommandContext& context) {
  const auto& report = check.report;
  const std::string violation = dockerfile::violation_message(report);
  // What is wrong with the file comes after what is odd about it.
  if (report.problem) throw Error(*report.problem);
  if (!violation.empty() && !call.ignore_status) {
    context.terminal.error_text(render_error(Error(ErrorKind::failure, violation), context.terminal));
  }
  return report.warnings.empty() || call.ignore_status ? k_exit_ok : k_exit_failure;
}

int run_check(const Call& call, BuildDriver& driver, CommandContext& context) {
  const builder::DockerfileCheck check = driver.check_dockerfile(context.stop());
  for (const std::string& line : check_remarks(check)) context.terminal.warning(line);
  context.terminal.result(call.json ? check_json(check, driver.request()) : check_text(check));
  return finish_check(call, check, context);
}

}  // namespace

void add_check_options(CLI::App& build, CallOptions& options) {
  auto* check = build.add_flag("--check", options.check,
                               "Check the Dockerfile and build nothing; exits with 1 when there are warnings");
  build
      .add_option("--call", options.call,
                  "build, check, outline (what a target takes) or targets (the stages); ,format=json [default: build]")
      ->excludes(check);
}

Call parse_call(const CallOptions& options, const BuildOptions& build, const GlobalOptions& globals) {
  Call call;
  const std::string what = options.check ? "--check" : "--call " + options.call;
  bool has_format = false;
  if (options.check) call.method = Call::Method::check;
  for (const std::string& field : split(options.call, ',')) {
    const auto equals = field.find('=');
    const std::string key = field.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : field.substr(equals + 1);
    if (equals == std::string::npos) {
      if (!field.empty()) call.method = parse_method(field);
    } else if (key == "format") {
      call.json = parse_format(value);
      has_format = true;
    } else if (key == "ignorestatus") {
      call.ignore_status = parse_boolean(value);
    } else {
      fail(fmt::format("--call {}: there is no such field", field), key, {"format", "ignorestatus"});
    }
  }
  if (call.method == Call::Method::build) return call;
  refuse(build.push, "--push", what);
  refuse(!build.iid_file.empty(), "--iidfile", what);
  refuse(!build.metadata_file.empty(), "--metadata-file", what);
  if (!has_format) call.json = globals.json();
  Call by_output = call;
  take_output(build.outputs, what, by_output);
  if (!has_format) call.json = by_output.json;
  return call;
}

int run_call(const Call& call, const BuildOptions& given, CommandContext& context) {
  BuildOptions options = given;
  options.outputs.clear();
  options.builds_nothing = true;
  options.progress = "quiet";
  BuildDriver driver(options);
  const auto& request = driver.request();
  if (call.method == Call::Method::check) return run_check(call, driver, context);
  if (call.method == Call::Method::outline) {
    const auto outline = builder::outline_dockerfile(request);
    context.terminal.result(call.json ? outline_json(outline, request) : outline_text(outline));
  } else {
    const auto targets =
        dockerfile::list_targets(dockerfile::parse_dockerfile(request.dockerfile_text, request.dockerfile_name));
    context.terminal.result(call.json ? targets_json(targets, request) : targets_text(targets));
  }
  return k_exit_ok;
}

}  // namespace tektii::cli
