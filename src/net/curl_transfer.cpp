#include "net/curl_transfer.hpp"

#include "net/curl_error.hpp"
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace tektii::net {

namespace {

constexpr std::size_t k_max_body = 1 << 20;
constexpr int k_poll_ms = 1000;
constexpr std::uint64_t k_max_headers = 256 << 10;  // of one answer, with all interim ones

// Adds the time of its life to a sum.
class TimeTaken {
 public:
  using Clock = std::chrono::steady_clock;
  explicit TimeTaken(Clock::duration& sum) : sum_(sum) {}
  TimeTaken(const TimeTaken&) = delete;
  TimeTaken& operator=(const TimeTaken&) = delete;
  ~TimeTaken() { sum_ += Clock::now() - began_; }

 private:
  Clock::duration& sum_;
  Clock::time_point began_ = Clock::now();
};

// Takes the easy handle out of the multi handle again, which closes the connection of an unfinished transfer.
class MultiMembership {
 public:
  explicit MultiMembership(CurlSession& session) : session_(session) {
    if (curl_multi_add_handle(session.multi(), session.easy()) != CURLM_OK) {
      throw Error(ErrorKind::failure, "libcurl can't start the request");
    }
  }
  MultiMembership(const MultiMembership&) = delete;
  MultiMembership& operator=(const MultiMembership&) = delete;
  ~MultiMembership() { curl_multi_remove_handle(session_.multi(), session_.easy()); }

 private:
  CurlSession& session_;
};

}  // namespace

CurlTransfer::CurlTransfer(CurlSession& session, const HttpRequest& request, ByteSink* sink,
                           const TransferSettings& settings)
    : session_(session), request_(request), sink_(sink), url_(Url::parse(request.url)) {
  url_.fragment.clear();
  response_.url = request.url;
  try {
    set_connection_options(settings.user_agent);
    set_proxy();
    set_tls(settings.tls);
    set_method_and_body();
    set_headers();
    set_callbacks();
  } catch (...) {
    curl_slist_free_all(header_list_);  // the destructor does not run for an object that was never finished
    throw;
  }
}

CurlTransfer::~CurlTransfer() {
  curl_slist_free_all(header_list_);
}

HttpResponse CurlTransfer::run(const std::stop_token& stop) {
  throw_if_stopped(stop);
  finish(perform(stop));
  return std::move(response_);
}

CURLcode CurlTransfer::perform(const std::stop_token& stop) {
  const MultiMembership membership(session_);
  CURLM* multi = session_.multi();
  const std::stop_callback wake(stop, [multi] { curl_multi_wakeup(multi); });
  last_activity_ = std::chrono::steady_clock::now() - own_time_;
  int running = 1;
  while (true) {
    if (const CURLMcode code = curl_multi_perform(multi, &running); code != CURLM_OK) {
      throw Error(ErrorKind::failure, fmt::format("libcurl: {}", curl_multi_strerror(code)));
    }
    if (running == 0) break;
    throw_if_stopped(stop);
    check_for_stall();
    const auto patience = std::min<std::chrono::milliseconds::rep>(k_poll_ms, request_.stall_timeout.count());
    curl_multi_poll(multi, nullptr, 0, static_cast<int>(std::max<std::chrono::milliseconds::rep>(patience, 1)),
                    nullptr);
  }
  int remaining = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi, &remaining)) {
    if (message->msg == CURLMSG_DONE) return message->data.result;
  }
  throw Error(ErrorKind::failure, "libcurl lost the result of a request");
}

// libcurl reads the body ahead; what counts for a known size is what it has sent.
CurlTransfer::Phase CurlTransfer::phase(std::uint64_t sent) const {
  if (header_bytes_ > 0) return Phase::answering;
  if (!request_.body) return Phase::waiting;
  const bool all = request_.body_size ? sent >= *request_.body_size : body_ended();
  return all ? Phase::waiting : Phase::sending;
}

void CurlTransfer::check_for_stall() {
  curl_off_t up = 0;
  curl_off_t down = 0;
  curl_easy_getinfo(session_.easy(), CURLINFO_SIZE_UPLOAD_T, &up);
  curl_easy_getinfo(session_.easy(), CURLINFO_SIZE_DOWNLOAD_T, &down);
  const auto progress = static_cast<std::uint64_t>(up) + static_cast<std::uint64_t>(down) + header_bytes_;
  const auto now = std::chrono::steady_clock::now() - own_time_;
  const Phase current = phase(static_cast<std::uint64_t>(up));
  // Before there is a connection the connect timeout rules.
  if (!connected_ || current != last_phase_) {
    last_phase_ = current;
    last_activity_ = now;
    window_is_open_ = false;
  }
  if (progress != last_progress_) {
    last_activity_ = now;
    if (!std::exchange(window_is_open_, true)) {
      window_began_ = now;
      window_progress_ = last_progress_;
    }
    last_progress_ = progress;
  }
  const auto limit = current == Phase::waiting && request_.body
                         ? std::max(request_.answer_timeout, request_.stall_timeout)
                         : request_.stall_timeout;
  if (now - last_activity_ >= limit) throw_stalled(fmt::format("nothing moved for {}", format_duration(limit.count())));
  if (!window_is_open_ || now - window_began_ < request_.stall_timeout) return;
  const auto moved = progress - window_progress_;
  const auto least = request_.low_speed * static_cast<std::uint64_t>(request_.stall_timeout.count()) / 1000;
  if (moved < least) {
    throw_stalled(fmt::format("only {} bytes moved in {}", moved, format_duration(request_.stall_timeout.count())));
  }
  window_began_ = now;
  window_progress_ = progress;
}

void CurlTransfer::throw_stalled(const std::string& what) const {
  const char* when = "in the middle of the answer";
  if (last_phase_ == Phase::sending) when = "while the request was being sent";
  if (last_phase_ == Phase::waiting) when = "while waiting for the answer";
  throw TransportError(fmt::format("{}:{} stalled: {} {}", url_.host, url_.effective_port(), what, when), connected_,
                       header_bytes_ > 0);
}

void CurlTransfer::finish(CURLcode code) {
  if (callback_error_) std::rethrow_exception(callback_error_);
  if (code != CURLE_OK && !body_cut_) fail(code);
  if (response_.status == 0) fail(CURLE_WEIRD_SERVER_REPLY);
  if (response_.status == 407 && proxy_) throw make_proxy_refusal(url_, *proxy_, 407);
}

void CurlTransfer::fail(CURLcode code) {
  CurlFailure failure;
  failure.code = code;
  curl_easy_getinfo(session_.easy(), CURLINFO_OS_ERRNO, &failure.os_errno);
  failure.detail = error_text_.data();
  failure.url = url_;
  failure.connected = connected_;
  failure.response_started = header_bytes_ > 0;
  failure.sending = request_.body && !body_ended();
  failure.connect_timeout = request_.connect_timeout;
  failure.proxy = proxy_;
  throw make_transport_error(failure);
}

std::size_t CurlTransfer::on_header(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > k_max_headers) {
    throw Error(ErrorKind::network, fmt::format("{}:{} sends more than {} of headers", url_.host, url_.effective_port(),
                                                format_bytes(k_max_headers)));
  }
  if (body_started_) return line.size();  // trailers
  if (line.starts_with("HTTP/")) {
    // The head of a 1xx answer, if there was one, is of no interest any more.
    response_.headers.clear();
    const auto space = line.find(' ');
    const auto digits = space == std::string_view::npos ? std::string_view() : line.substr(space + 1, 3);
    response_.status = static_cast<int>(parse_int(digits).value_or(0));
    return line.size();
  }
  const std::string_view text = trim(line);
  const auto colon = text.find(':');
  if (colon != std::string_view::npos && colon > 0) {
    add_header({std::string(trim(text.substr(0, colon))), std::string(trim(text.substr(colon + 1)))});
  }
  return line.size();
}

// Two lengths are two messages to two readers (RFC 9110 section 8.6); nothing behind such an answer can be trusted.
void CurlTransfer::add_header(Header header) {
  if (equals_ignoring_case(header.name, "Content-Length")) {
    const auto before = response_.header("Content-Length");
    if (before && *before != header.value) {
      throw Error(ErrorKind::network,
                  fmt::format("the answer of {}:{} has two lengths, {} and {}", url_.host, url_.effective_port(),
                              escape_control(*before), escape_control(header.value)));
    }
  }
  response_.headers.push_back(std::move(header));
}

std::size_t CurlTransfer::on_body(ByteSpan data) {
  const bool first = !std::exchange(body_started_, true);
  const bool success = response_.status >= 200 && response_.status < 300;
  if (success && sink_ != nullptr) {
    if (first && request_.on_head) request_.on_head(response_);
    const TimeTaken own(own_time_);
    sink_->write(data);
    return data.size();
  }
  const std::size_t room = k_max_body - response_.body.size();
  const std::size_t kept = std::min(room, data.size());
  response_.body.append(reinterpret_cast<const char*>(data.data()), kept);
  if (kept == data.size()) return kept;
  if (success) {
    throw Error(ErrorKind::network,
                fmt::format("the answer of {} is longer than {}", redact_url(response_.url), format_bytes(k_max_body)));
  }
  body_cut_ = true;
  return 0;
}

std::size_t CurlTransfer::on_read(std::span<std::byte> out) {
  if (!request_.body) return 0;
  const TimeTaken own(own_time_);
  if (!body_) body_ = request_.body();
  if (body_ended()) return 0;
  const std::uint64_t left = request_.body_size ? *request_.body_size - body_sent_ : out.size();
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, out.size()));
  const std::size_t got = body_->read(out.first(wanted));
  if (got == 0 && request_.body_size) {
    throw Error(ErrorKind::failure,
                fmt::format("the data to be sent ended after {} of {} bytes", body_sent_, *request_.body_size));
  }
  open_body_ended_ = got == 0;
  body_sent_ += got;
  return got;
}

bool CurlTransfer::body_ended() const {
  return request_.body_size ? body_sent_ == *request_.body_size : open_body_ended_;
}

void CurlTransfer::rewind_body() {
  open_body_ended_ = false;
  body_ = request_.body ? request_.body() : nullptr;
  body_sent_ = 0;
}

std::size_t CurlTransfer::header_callback(char* data, std::size_t size, std::size_t count, void* self) {
  auto* transfer = static_cast<CurlTransfer*>(self);
  try {
    return transfer->on_header(std::string_view(data, size * count));
  } catch (...) {
    transfer->callback_error_ = std::current_exception();
    return 0;
  }
}

std::size_t CurlTransfer::write_callback(char* data, std::size_t size, std::size_t count, void* self) {
  auto* transfer = static_cast<CurlTransfer*>(self);
  try {
    return transfer->on_body(as_byte_span(std::string_view(data, size * count)));
  } catch (...) {
    transfer->callback_error_ = std::current_exception();
    return 0;
  }
}

std::size_t CurlTransfer::read_callback(char* data, std::size_t size, std::size_t count, void* self) {
  auto* transfer = static_cast<CurlTransfer*>(self);
  try {
    return transfer->on_read(std::as_writable_bytes(std::span(data, size * count)));
  } catch (...) {
    transfer->callback_error_ = std::current_exception();
    return CURL_READFUNC_ABORT;
  }
}

int CurlTransfer::seek_callback(void* self, curl_off_t offset, int origin) {
  auto* transfer = static_cast<CurlTransfer*>(self);
  if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  // libcurl sends a request again by itself when a kept connection turns out to be dead. That is right for the first
  // buffer; once more of the body has gone out the server may have acted on it, and the caller knows better what to do.
  if (transfer->body_sent_ > static_cast<std::uint64_t>(k_upload_buffer)) return CURL_SEEKFUNC_FAIL;
  try {
    transfer->rewind_body();
    return CURL_SEEKFUNC_OK;
  } catch (...) {
    transfer->callback_error_ = std::current_exception();
    return CURL_SEEKFUNC_FAIL;
  }
}

int CurlTransfer::connected_callback(void* self, char* /*ip*/, char* /*local_ip*/, int /*port*/, int /*local_port*/) {
  static_cast<CurlTransfer*>(self)->connected_ = true;
  return CURL_PREREQFUNC_OK;
}

}  // namespace tektii::net
