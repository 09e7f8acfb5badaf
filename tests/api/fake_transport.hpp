#pragma once

#include <tektii/net/http.hpp>
#include <tektii/util/clock.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace tektii::test {

// A request as the server would have seen it.
struct SeenRequest {
  std::string method;
  std::string url;
  std::string body;
  std::string bearer;
  std::vector<net::Header> headers;

  std::string header(const std::string& name) const {
    for (const net::Header& one : headers) {
      if (one.name == name) return one.value;
    }
    return {};
  }
};

// Answers from a script, in order, and keeps what was asked. A request beyond the script is a broken connection.
class FakeTransport : public net::HttpTransport {
 public:
  struct Step {
    int status = 200;
    std::string body;
    std::vector<net::Header> headers;
    bool broken = false;
    bool response_started = false;
    bool connected = true;
  };

  FakeTransport& answer(int status, std::string body, std::vector<net::Header> headers = {}) {
    script_.push_back({status, std::move(body), std::move(headers), false, false, true});
    return *this;
  }
  FakeTransport& broken(bool response_started) {
    script_.push_back({0, {}, {}, true, response_started, true});
    return *this;
  }
  FakeTransport& unreachable() {
    script_.push_back({0, {}, {}, true, false, false});
    return *this;
  }

  net::HttpResponse send(const net::HttpRequest& request, ByteSink* sink, std::stop_token) override {
    SeenRequest seen{request.method, request.url, {}, {}, request.headers};
    if (request.body) seen.body = read_all(*request.body());
    if (request.authorization) seen.bearer = request.authorization->reveal();
    requests.push_back(seen);
    if (script_.empty()) throw net::TransportError("connection refused", false, false);
    const Step step = script_.front();
    script_.pop_front();
    if (step.broken) throw net::TransportError("connection reset", step.connected, step.response_started);
    net::HttpResponse response;
    response.status = step.status;
    response.headers = step.headers;
    response.url = request.url;
    if (sink != nullptr && step.status >= 200 && step.status < 300) {
      sink->write(as_byte_span(step.body));
    } else {
      response.body = step.body;
    }
    return response;
  }

  std::vector<SeenRequest> requests;

 private:
  std::deque<Step> script_;
};

// Stands still but for the sleeps, which it records; `on_sleep` may request a stop.
class FakeClock : public Clock {
 public:
  std::chrono::system_clock::time_point now() const override { return now_; }
  bool sleep_for(std::chrono::milliseconds duration, const std::stop_token& stop) override {
    sleeps.push_back(duration.count());
    now_ += duration;
    if (on_sleep) on_sleep();
    return !stop.stop_requested();
  }

  std::vector<std::int64_t> sleeps;
  std::function<void()> on_sleep;

 private:
  std::chrono::system_clock::time_point now_{std::chrono::seconds(1'705'314'600)};  // 2024-01-15T10:30:00Z
};

}  // namespace tektii::test
