#include "support/fault_connection.hpp"

#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace tektii::testing {

namespace {

constexpr std::chrono::milliseconds k_slice{5};
constexpr std::size_t k_piece = 1 << 16;

void set_header(HeaderList& headers, const std::string& name, const std::string& value) {
  std::erase_if(headers, [&](const auto& header) { return equals_ignoring_case(header.first, name); });
  headers.emplace_back(name, value);
}

bool has_header(const HeaderList& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& header) { return equals_ignoring_case(header.first, name); });
}

bool is_chunked(const FaultRequest& request) {
  return equals_ignoring_case(request.header("Transfer-Encoding").value_or(""), "chunked");
}

std::uint64_t content_length(const FaultRequest& request) {
  return static_cast<std::uint64_t>(parse_int(request.header("Content-Length").value_or("0")).value_or(0));
}

void apply(const Fault& fault, StoreAnswer& answer) {
  if (fault.status) answer.status = *fault.status;
  if (fault.body) {
    answer.body = *fault.body;
    answer.generator = {};
  }
  if (fault.alter_body) fault.alter_body(answer.body);
  // Several of one name are sent as often as they are given.
  for (const auto& [name, value] : fault.headers) {
    std::erase_if(answer.headers, [&](const auto& header) { return equals_ignoring_case(header.first, name); });
  }
  answer.headers.insert(answer.headers.end(), fault.headers.begin(), fault.headers.end());
  for (const std::string& name : fault.without) {
    std::erase_if(answer.headers, [&](const auto& header) { return equals_ignoring_case(header.first, name); });
  }
}

}  // namespace

bool FaultWire::receive_more() {
  std::array<char, k_piece> piece{};
  const ssize_t n = ::recv(fd_, piece.data(), piece.size(), 0);
  if (n <= 0) return false;
  buffer_.append(piece.data(), static_cast<std::size_t>(n));
  return true;
}

bool FaultWire::pause(std::chrono::milliseconds duration) {
  const auto end = std::chrono::steady_clock::now() + duration;
  while (std::chrono::steady_clock::now() < end) {
    if (stopping_) return false;
    pollfd watched{fd_, POLLRDHUP, 0};
    if (::poll(&watched, 1, static_cast<int>(k_slice.count())) > 0) return false;
  }
  return true;
}

void FaultWire::wait_for_the_end() {
  while (pause(std::chrono::seconds(1))) {
  }
}

bool FaultWire::send(std::string_view data, const std::optional<Drip>& drip) {
  while (!data.empty()) {
    const std::size_t count = drip ? std::min(drip->bytes, data.size()) : data.size();
    const ssize_t n = ::send(fd_, data.data(), count, MSG_NOSIGNAL);
    if (n <= 0) return false;
    data.remove_prefix(static_cast<std::size_t>(n));
    if (drip && !pause(drip->pause)) return false;
  }
  return true;
}

void FaultWire::reset_at_end() {
  resets_ = true;
  const linger abort{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
}

void FaultWire::finish_sending() {
  if (!resets_) ::shutdown(fd_, SHUT_WR);
}

void FaultWire::end() {
  if (resets_ || stopping_) return;
  ::shutdown(fd_, SHUT_WR);
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
  while (std::chrono::steady_clock::now() < end) {
    pollfd watched{fd_, POLLIN | POLLRDHUP, 0};
    if (::poll(&watched, 1, static_cast<int>(k_slice.count())) > 0 && !receive_more()) return;
    buffer_.clear();
  }
}

bool FaultWire::read_head(FaultRequest& request) {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!receive_more()) return false;
    if (buffer_.front() < 'A' || buffer_.front() > 'Z') return false;  // TLS: clients try that first
  }
  const std::string head = buffer_.substr(0, end);
  buffer_.erase(0, end + 4);
  for (const std::string& line : split(head, '\n')) {
    const std::string_view text = trim(line);
    if (request.method.empty()) {
      const auto parts = split(text, ' ');
      if (parts.size() < 2) return false;
      request.method = parts[0];
      request.target = parts[1];
    } else if (const auto colon = text.find(':'); colon != std::string_view::npos) {
      request.headers.emplace_back(std::string(trim(text.substr(0, colon))), std::string(trim(text.substr(colon + 1))));
    }
  }
  return true;
}

bool FaultWire::read_body(const FaultRequest& request, const Fault& fault, ReceivedBody& body) {
  const bool expects = equals_ignoring_case(request.header("Expect").value_or(""), "100-continue");
  if (expects && !fault.no_continue && !send("HTTP/1.1 100 Continue\r\n\r\n")) return false;
  if (fault.cut_request_after && *fault.cut_request_after == 0) return false;
  return is_chunked(request) ? take_chunks(fault, body) : take(content_length(request), fault, body);
}

// Moves so many bytes to the body; false when that ends earlier.
bool FaultWire::take(std::uint64_t count, const Fault& fault, ReceivedBody& body) {
  while (count > 0) {
    if (fault.stop_reading_after && body.size() >= *fault.stop_reading_after) {
      wait_for_the_end();
      return false;
    }
    if (buffer_.empty()) {
      if (fault.slow_reading && !pause(fault.slow_reading->pause)) return false;
      if (!receive_more()) return false;
    }
    std::uint64_t now = std::min<std::uint64_t>(count, buffer_.size());
    if (fault.slow_reading) now = std::min<std::uint64_t>(now, fault.slow_reading->bytes);
    if (fault.cut_request_after) now = std::min(now, *fault.cut_request_after - body.size());
    body.append(std::string_view(buffer_).substr(0, now));
    buffer_.erase(0, now);
    count -= now;
    if (fault.cut_request_after && body.size() >= *fault.cut_request_after) return false;
    if (fault.slow_reading && !pause(fault.slow_reading->pause)) return false;
  }
  return true;
}

bool FaultWire::take_chunks(const Fault& fault, ReceivedBody& body) {
  const auto line = [&]() -> std::optional<std::string> {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n")) == std::string::npos) {
      if (!receive_more()) return std::nullopt;
    }
    std::string text = buffer_.substr(0, end);
    buffer_.erase(0, end + 2);
    return text;
  };
  while (true) {
    const auto head = line();
    if (!head) return false;
    const auto size = std::stoull(*head, nullptr, 16);
    if (size > 0 && !take(size, fault, body)) return false;
    if (!line()) return false;  // the end of the chunk; trailers are not sent by anyone
    if (size == 0) return true;
  }
}

bool FaultWire::send_answer(const FaultRequest& request, const Fault& fault, StoreAnswer answer) {
  apply(fault, answer);
  if (fault.endless) {
    set_header(answer.headers, "Transfer-Encoding", "chunked");
  } else if (!has_header(answer.headers, "Content-Length") && answer.status != 204) {
    answer.headers.emplace_back("Content-Length", std::to_string(fault.claimed_length.value_or(answer.size())));
  }
  if (fault.close || fault.answer_before_body) set_header(answer.headers, "Connection", "close");
  std::string head = fault.before + fmt::format("HTTP/1.1 {} Test\r\n", answer.status);
  for (const auto& [name, value] : answer.headers) head += name + ": " + value + "\r\n";
  head += "\r\n";
  const bool has_body = request.method != "HEAD" && answer.status != 204;
  // In one write where that is possible, as servers do.
  const bool plain = has_body && !answer.generator && !fault.endless && !fault.drip_head && !fault.drip_body &&
                     !fault.cut_answer_after && !fault.stall_answer_after;
  if (!send(plain ? head + answer.body : head, fault.drip_head)) return false;
  if (plain || !has_body) return !fault.claimed_length || *fault.claimed_length == answer.size();
  return send_body(fault, answer);
}

bool FaultWire::send_body(const Fault& fault, const StoreAnswer& answer) {
  if (fault.endless) {
    const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
    while (!stopping_ && send(chunk, fault.drip_body)) {
    }
    return false;
  }
  std::uint64_t limit = answer.size();
  if (fault.cut_answer_after) limit = std::min(limit, *fault.cut_answer_after);
  if (fault.stall_answer_after) limit = std::min(limit, *fault.stall_answer_after);
  std::string piece;
  for (std::uint64_t sent = 0; sent < limit;) {
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(limit - sent, k_piece)));
    if (answer.generator) {
      answer.generator(answer.offset + sent, piece);
    } else {
      piece.assign(answer.body, static_cast<std::size_t>(sent), piece.size());
    }
    if (!send(piece, fault.drip_body)) return false;
    sent += piece.size();
  }
  if (fault.stall_answer_after) wait_for_the_end();
  return !fault.cut_answer_after && !fault.stall_answer_after;
}

}  // namespace tektii::testing
