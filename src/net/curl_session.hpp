#pragma once

#include <curl/curl.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tektii::net {

// One easy handle in a multi handle of its own: the multi handle owns the connections (so they live from request to
// request), and its poll can be woken by a stop request from another thread, which curl_easy_perform can't.
class CurlSession {
 public:
  explicit CurlSession(std::string origin);
  CurlSession(const CurlSession&) = delete;
  CurlSession& operator=(const CurlSession&) = delete;
  ~CurlSession();

  CURL* easy() const { return easy_; }
  CURLM* multi() const { return multi_; }
  const std::string& origin() const { return origin_; }

 private:
  std::string origin_;
  CURL* easy_ = nullptr;
  CURLM* multi_ = nullptr;
};

// Idle sessions, to be used again for the same origin. Thread-safe.
class CurlSessionPool {
 public:
  CurlSessionPool();

  // The session that was used last for this origin, whose connection is the most likely to be alive; else a new one.
  std::unique_ptr<CurlSession> acquire(const std::string& origin);
  void release(std::unique_ptr<CurlSession> session);

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<CurlSession>> idle_;  // the most recently used last
};

}  // namespace tektii::net
