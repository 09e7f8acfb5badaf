#include "cli/commands/api.hpp"

#include "cli/exit_code.hpp"
#include <tektii/api/client.hpp>
#include <tektii/net/url.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <utility>

namespace tektii::cli {

namespace {

constexpr std::size_t k_input_limit = 16U << 20;
constexpr std::array k_methods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};

std::string checked_method(std::string method) {
  std::transform(method.begin(), method.end(), method.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (std::find(k_methods.begin(), k_methods.end(), method) != k_methods.end()) return method;
  throw Error(ErrorKind::usage, fmt::format("\"{}\" is not a method", escape_control(method)))
      .add_hint("there are GET, HEAD, POST, PUT, PATCH and DELETE");
}

std::pair<std::string, std::string> split_field(const std::string& field) {
  const std::size_t equals = field.find('=');
  if (equals == 0 || equals == std::string::npos) {
    throw Error(ErrorKind::usage, fmt::format("--field {} is not NAME=VALUE", escape_control(field)));
  }
  return {field.substr(0, equals), field.substr(equals + 1)};
}

std::string with_query(std::string path, const std::vector<std::string>& fields) {
  for (const std::string& field : fields) {
    const auto [name, value] = split_field(field);
    path += fmt::format("{}{}={}", path.find('?') == std::string::npos ? '?' : '&', net::percent_encode(name),
                        net::percent_encode(value));
  }
  return path;
}

// A value that is JSON is taken as such (5, true, null, ["a"]), every other as a string.
std::string as_object(const std::vector<std::string>& fields) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const std::string& field : fields) {
    const auto [name, value] = split_field(field);
    nlohmann::ordered_json parsed = nlohmann::ordered_json::parse(value, nullptr, false);
    object[name] = parsed.is_discarded() ? nlohmann::ordered_json(value) : std::move(parsed);
  }
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string read_input(const std::string& input) {
  std::string text;
  if (input == "-") {
    FdSource source(UniqueFd(::dup(STDIN_FILENO)), "standard input");
    text = read_all(source, k_input_limit);
  } else {
    text = read_file(input, k_input_limit);
  }
  if (!nlohmann::json::accept(text)) {
    throw Error(ErrorKind::usage, fmt::format("{} is not JSON", input == "-" ? "standard input" : input));
  }
  return text;
}

}  // namespace

void setup_api(CLI::App& root, CommandContext& context) {
  CLI::App* api = root.add_subcommand("api", "Send a call to the platform that no other command knows");
  auto options = std::make_shared<ApiCallOptions>();
  api->add_option("METHOD", options->method, "GET, POST and so on")->required();
  api->add_option("PATH", options->path, "Path below the API URL, for example /v1/strategies")->required();
  CLI::Option* fields = api->add_option("--field", options->fields,
                                        "A query parameter of GET, HEAD and DELETE, else a member of the JSON body; "
                                        "NAME=VALUE (repeatable)")
                            ->type_name("NAME=VALUE")
                            ->allow_extra_args(false);
  api->add_option("--input", options->input, "File with the JSON body, - for standard input")
      ->type_name("FILE")
      ->excludes(fields);
  context.on_selected(*api, [options, &context] { return run_api_call(*options, context); });
}

int run_api_call(const ApiCallOptions& options, CommandContext& context) {
  api::RawCall call;
  call.method = checked_method(options.method);
  const bool query = call.method == "GET" || call.method == "HEAD" || call.method == "DELETE";
  call.path = query ? with_query(options.path, options.fields) : options.path;
  if (!options.input.empty()) {
    call.body = read_input(options.input);
  } else if (!query && !options.fields.empty()) {
    call.body = as_object(options.fields);
  }
  const std::string answer = context.api_client().call(call, context.stop());
  if (!answer.empty()) context.terminal.result(answer.ends_with('\n') ? answer : answer + "\n");
  return k_exit_ok;
}

}  // namespace tektii::cli
