#pragma once

#include "support/registry_store.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace tektii::testing {

// A request as the log of the server has it. `body` holds its first 64 KiB.
struct FaultRequest : ServerRequest {
  std::uint64_t body_length = 0;  // what arrived
  bool body_complete = false;
};

// So many bytes at a time, with a pause after each.
struct Drip {
  std::size_t bytes = 1;
  std::chrono::milliseconds pause{20};
};

// What goes wrong with one request. Everything that is not set goes well: the request is carried out and answered by
// the registry. Fields combine.
struct Fault {
  // --- Reading the request ---
  bool no_continue = false;         // "Expect: 100-continue" gets no 100
  bool answer_before_body = false;  // answered after its header block, then closed, never carried out
  std::optional<std::uint64_t> cut_request_after = {};   // closed after so many bytes of its body
  std::optional<std::uint64_t> stop_reading_after = {};  // no more of its body is read, until the client goes away
  std::optional<Drip> slow_reading = {};

  // --- The answer. It takes the place of the registry's as soon as a status is set, and the request is then only
  // carried out with `carry_out`. ---
  std::optional<int> status = {};
  HeaderList headers = {};                // instead of those of the same name, else added
  std::vector<std::string> without = {};  // header names that are left out
  std::optional<std::string> body = {};   // instead of the registry's
  bool carry_out = false;                 // with status, raw or drop: the request takes effect all the same
  std::string before = {};                // sent as it is before the answer (1xx floods)
  std::optional<std::string> raw = {};    // sent as it is instead of an answer, then closed
  std::function<void(std::string& body)> alter_body = {};  // wrong bytes
  std::optional<std::uint64_t> claimed_length = {};        // Content-Length, whatever the body is
  bool endless = false;                                    // a chunked body that goes on until the client goes away
  std::function<void(const FaultRequest&)> before_answer = {};  // runs first: holds an answer back until a test says so

  // --- Sending it ---
  std::chrono::milliseconds delay{0};                  // before its first byte
  std::optional<std::uint64_t> cut_answer_after = {};  // closed after so many bytes of its body
  std::optional<std::uint64_t> stall_answer_after =
      {};  // nothing after so many bytes of its body, until the client goes
  std::optional<Drip> drip_head = {};
  std::optional<Drip> drip_body = {};
  bool drop = false;   // closed without an answer
  bool close = false;  // closed after it
  bool reset = false;  // every closing of this fault is an RST instead of a FIN
};

// Which requests a fault is for: of this method (any when empty), with this in their target, and of those the
// `first`-th up to `times` in a row (0: all from there).
struct Match {
  std::string method = {};
  std::string target = {};
  int first = 1;
  int times = 1;
};

// A registry (RegistryStore) on an ephemeral port of 127.0.0.1, one thread per connection, whose answers a script
// bends.
class FaultServer {
 public:
  FaultServer() : FaultServer(RegistryStore::Options{}) {}
  explicit FaultServer(RegistryStore::Options options);
  FaultServer(const FaultServer&) = delete;
  FaultServer& operator=(const FaultServer&) = delete;
  ~FaultServer();

  RegistryStore& store() { return store_; }
  std::uint16_t port() const { return port_; }
  std::string name() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url(std::string_view path = "") const { return "http://" + name() + std::string(path); }

  // Adds to the script; the first entry that fits decides. `make` is asked for each request that fits.
  void on(Match match, Fault fault);
  void on(Match match, std::function<Fault(const FaultRequest&)> make);
  void clear_script();

  // Every request so far, in the order in which their header blocks came.
  std::vector<FaultRequest> requests() const;
  std::vector<FaultRequest> requests(std::string_view method, std::string_view target_part = "") const;
  // "GET /v2/" and so on.
  std::vector<std::string> lines() const;
  int count(std::string_view method = "", std::string_view target_part = "") const;
  void clear_requests();
  // False when it did not come to that within ten seconds.
  bool wait_for(std::string_view method, std::string_view target_part, int count = 1) const;

 private:
  class Connection;
  struct Entry {
    Match match;
    std::function<Fault(const FaultRequest&)> make;
    int seen = 0;
  };

  void accept_loop();
  std::size_t note(const FaultRequest& request);
  void note_body(std::size_t index, const ReceivedBody& body, bool complete);
  Fault fault_for(const FaultRequest& request);

  RegistryStore store_;
  UniqueFd listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<Entry> script_;
  std::vector<FaultRequest> requests_;
  std::vector<int> open_connections_;
  std::vector<std::thread> connection_threads_;
  std::thread acceptor_;
};

}  // namespace tektii::testing
