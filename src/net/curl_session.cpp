#include "net/curl_session.hpp"

#include <tektii/util/error.hpp>

#include <algorithm>
#include <utility>

namespace tektii::net {

namespace {

constexpr std::size_t k_max_idle = 32;

// libcurl wants its global initialisation once per process, before any other call; there is no matching cleanup because
// nobody can know that the last user is gone.
void initialise_curl_once() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
      throw Error(ErrorKind::failure, "libcurl could not be initialised");
    }
  });
}

}  // namespace

CurlSession::CurlSession(std::string origin) : origin_(std::move(origin)) {
  easy_ = curl_easy_init();
  multi_ = curl_multi_init();
  if (easy_ == nullptr || multi_ == nullptr) {
    curl_easy_cleanup(easy_);
    curl_multi_cleanup(multi_);
    throw Error(ErrorKind::failure, "libcurl is out of memory");
  }
}

CurlSession::~CurlSession() {
  curl_easy_cleanup(easy_);
  curl_multi_cleanup(multi_);
}

CurlSessionPool::CurlSessionPool() {
  initialise_curl_once();
}

std::unique_ptr<CurlSession> CurlSessionPool::acquire(const std::string& origin) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(idle_.rbegin(), idle_.rend(), [&](const std::unique_ptr<CurlSession>& session) {
      return session->origin() == origin;
    });
    if (found != idle_.rend()) {
      auto session = std::move(*found);
      idle_.erase(std::next(found).base());
      return session;
    }
  }
  return std::make_unique<CurlSession>(origin);
}

void CurlSessionPool::release(std::unique_ptr<CurlSession> session) {
  curl_easy_reset(session->easy());     // forgets the request and its secrets, keeps the connections
  std::unique_ptr<CurlSession> oldest;  // destroyed outside the lock: closing a TLS connection may take a while
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(session));
  if (idle_.size() > k_max_idle) {
    oldest = std::move(idle_.front());
    idle_.erase(idle_.begin());
  }
}

}  // namespace tektii::net
