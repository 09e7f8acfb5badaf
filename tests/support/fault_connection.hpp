#pragma once

#include "support/fault_server.hpp"

#include <atomic>
#include <string>
#include <string_view>

namespace tektii::testing {

// The bytes of one connection of a FaultServer: reads requests and sends answers, with the faults that concern them.
// All waiting ends when the client goes away or the server is stopped.
class FaultWire {
 public:
  FaultWire(int fd, const std::atomic<bool>& stopping) : fd_(fd), stopping_(stopping) {}

  // False at the end of the connection.
  bool read_head(FaultRequest& request);
  // False when it ended, or was cut, before the body was complete.
  bool read_body(const FaultRequest& request, const Fault& fault, ReceivedBody& body);
  // False when the connection can't be used any more.
  bool send_answer(const FaultRequest& request, const Fault& fault, StoreAnswer answer);
  bool send(std::string_view data, const std::optional<Drip>& drip = {});
  // False when the client went away or the server is to stop.
  bool pause(std::chrono::milliseconds duration);
  void reset_at_end();
  // No more is sent (FIN), while what the client still sends is taken in for a moment: closing with unread bytes would
  // be an RST, which can overtake the answer.
  void finish_sending();
  // Before the descriptor is closed.
  void end();

 private:
  bool receive_more();
  bool take(std::uint64_t count, const Fault& fault, ReceivedBody& body);
  bool take_chunks(const Fault& fault, ReceivedBody& body);
  bool send_body(const Fault& fault, const StoreAnswer& answer);
  void wait_for_the_end();

  int fd_;
  const std::atomic<bool>& stopping_;
  std::string buffer_;
  bool resets_ = false;
};

}  // namespace tektii::testing
