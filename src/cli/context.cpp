#include "cli/context.hpp"

#include "cli/exit_code.hpp"
#include <tektii/api/api_key.hpp>
#include <tektii/net/url.hpp>
#include <tektii/util/secret.hpp>

#include <CLI/App.hpp>
#include <fmt/format.h>

#include <utility>

namespace tektii::cli {

std::stop_token CommandContext::stop() {
  if (!signals_) signals_.emplace();
  return signals_->token();
}

int CommandContext::interrupted_exit_code() const {
  return signals_ ? signals_->exit_code() : k_exit_interrupted;
}

net::HttpTransport& CommandContext::transport() {
  if (!transport_) transport_ = make_transport_();
  return *transport_;
}

void CommandContext::require_api_key() const {
  api::check_api_key(globals.api_key);
}

api::Client CommandContext::api_client() {
  api::Client client({globals.api_url, Secret(globals.api_key)}, {transport(), clock});
  if (globals.api_url.starts_with("http://") && !net::is_loopback_host(net::Url::parse(globals.api_url).host)) {
    terminal.warning("the API key is sent unencrypted: the API URL is not https");
  }
  return client;
}

api::Client CommandContext::anonymous_client() {
  return {{globals.api_url, Secret(), true}, {transport(), clock}};
}

void CommandContext::on_selected(CLI::App& command, std::function<int()> run) {
  command.callback([this, run = std::move(run)] { selected_ = run; });
}

void CommandContext::print_result(const std::string& json, const std::string& table) {
  if (!globals.json()) return terminal.result(table);
  terminal.result(json.ends_with('\n') ? json : json + "\n");
}

}  // namespace tektii::cli
