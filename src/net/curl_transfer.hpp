#pragma once

#include "net/curl_session.hpp"
#include "net/proxy.hpp"
#include <tektii/net/http.hpp>
#include <tektii/net/url.hpp>

#include <array>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace tektii::net {

// What holds for all requests of a transport to one host.
struct TransferSettings {
  const std::string& user_agent;
  const TlsSettings* tls = nullptr;  // null: the system's
};

// One request on one session. Used once; the callbacks that curl calls end here.
class CurlTransfer {
 public:
  CurlTransfer(CurlSession& session, const HttpRequest& request, ByteSink* sink, const TransferSettings& settings);
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;
  ~CurlTransfer();

  HttpResponse run(const std::stop_token& stop);

 private:
  static constexpr long k_upload_buffer = 2 << 20;  // the largest that libcurl takes; uploads gain most from it

  using TimePoint = std::chrono::steady_clock::time_point;

  void set_connection_options(const std::string& user_agent);
  void set_proxy();
  void set_tls(const TlsSettings* settings);
  void set_method_and_body();
  void set_headers();
  void set_callbacks();
  void add_header_line(const std::string& name, const std::string& value);

  CURLcode perform(const std::stop_token& stop);
  enum class Phase { sending, waiting, answering };
  Phase phase(std::uint64_t sent) const;
  // Throws TransportError when nothing, or next to nothing, moved for longer than the request allows.
  void check_for_stall();
  [[noreturn]] void throw_stalled(const std::string& what) const;
  void finish(CURLcode code);
  [[noreturn]] void fail(CURLcode code);

  std::size_t on_header(std::string_view line);
  void add_header(Header header);
  std::size_t on_body(ByteSpan data);
  std::size_t on_read(std::span<std::byte> out);
  void rewind_body();
  bool body_ended() const;

  static std::size_t header_callback(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t write_callback(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t read_callback(char* data, std::size_t size, std::size_t count, void* self);
  static int seek_callback(void* self, curl_off_t offset, int origin);
  static int connected_callback(void* self, char* ip, char* local_ip, int port, int local_port);

  CurlSession& session_;
  const HttpRequest& request_;
  ByteSink* sink_;
  Url url_;
  HttpResponse response_;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  curl_slist* header_list_ = nullptr;

  std::unique_ptr<ByteSource> body_;
  std::uint64_t body_sent_ = 0;
  bool open_body_ended_ = false;       // of a body without a known size
  std::exception_ptr callback_error_;  // thrown by our own code inside a callback
  std::optional<Proxy> proxy_;
  std::string ca_bundle_;  // libcurl reads it where it is
  bool connected_ = false;
  bool body_started_ = false;
  bool body_cut_ = false;  // an error page longer than we keep: what we have is enough
  std::uint64_t header_bytes_ = 0;

  // For the detection of stalls: bytes in both directions so far, and the time that our own streams took, in which the
  // server can't be blamed.
  std::chrono::steady_clock::duration own_time_{0};
  Phase last_phase_ = Phase::sending;
  std::uint64_t last_progress_ = 0;
  TimePoint last_activity_;
  bool window_is_open_ = false;  // from a byte on, for as long as a stall takes
  std::uint64_t window_progress_ = 0;
  TimePoint window_began_;
};

}  // namespace tektii::net
