#pragma once

#include "cli/signals.hpp"
#include "cli/terminal.hpp"
#include <tektii/api/client.hpp>
#include <tektii/net/http.hpp>
#include <tektii/util/clock.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace CLI {
class App;
}

namespace tektii::cli {

// Options that every command takes, before or after its name.
struct GlobalOptions {
  std::string api_url = "https://api.tektii.com";
  std::string api_key;
  std::string output = "table";
  int verbosity = 0;  // 0 warnings, 1 info, 2 debug, 3 trace
  bool quiet = false;

  bool json() const { return output == "json"; }
};

using TransportFactory = std::function<std::unique_ptr<net::HttpTransport>()>;

// What a command works with: the seams, and the command that parsing chose. Everything that starts a thread is made
// when it is first asked for, because a build has to enter its namespaces while the process has one thread: a command
// that does so must come before stop() and transport().
class CommandContext {
 public:
  // All outlive the context.
  CommandContext(Terminal& terminal_seam, Clock& clock_seam, TransportFactory make_transport)
      : terminal(terminal_seam), clock(clock_seam), make_transport_(std::move(make_transport)) {}

  Terminal& terminal;
  Clock& clock;
  GlobalOptions globals;

  // Requested on SIGINT, SIGTERM and SIGHUP, for which this starts to listen.
  std::stop_token stop();
  // Of a command that ended because of that.
  int interrupted_exit_code() const;
  net::HttpTransport& transport();
  // Throws Error{denied} when there is no API key, without starting anything: for commands with long work before the
  // first call.
  void require_api_key() const;
  // Throws the same. Warns when the key would travel unencrypted.
  api::Client api_client();
  // For the calls that need no key.
  api::Client anonymous_client();

  // Called by the setup of each command: what runs when that command was given; returns the exit code.
  void on_selected(CLI::App& command, std::function<int()> run);
  int run_selected() { return selected_ ? selected_() : 0; }

  // Prints the answer of the API as it came, or else the table for the eye.
  void print_result(const std::string& json, const std::string& table);

 private:
  TransportFactory make_transport_;
  std::unique_ptr<net::HttpTransport> transport_;
  std::optional<SignalScope> signals_;
  std::function<int()> selected_;
};

}  // namespace tektii::cli
