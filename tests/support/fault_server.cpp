#include "support/fault_server.hpp"

#include "support/fault_connection.hpp"
#include <tektii/util/error.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace tektii::testing {

namespace {

bool fits(const FaultRequest& request, std::string_view method, std::string_view target_part) {
  return (method.empty() || request.method == method) && request.target.find(target_part) != std::string::npos;
}

}  // namespace

// Serves the requests of one connection, one after the other.
class FaultServer::Connection {
 public:
  Connection(FaultServer& server, int fd, int number) : server_(server), wire_(fd, server.stopping_), number_(number) {}

  void serve() {
    while (!server_.stopping_ && serve_one()) {
    }
    wire_.end();
  }

 private:
  bool serve_one() {
    FaultRequest request;
    if (!wire_.read_head(request)) return false;
    request.connection = number_;
    const std::size_t index = server_.note(request);
    const Fault fault = server_.fault_for(request);
    if (fault.reset) wire_.reset_at_end();
    if (fault.answer_before_body) {
      send_answer(request, fault, {});
      wire_.finish_sending();
      return false;
    }
    ReceivedBody body(server_.store_.options().keep_limit);
    const bool complete = wire_.read_body(request, fault, body);
    server_.note_body(index, body, complete);
    request.body_length = body.size();
    request.body = body.content().substr(0, 1 << 16);
    if (!complete) {
      server_.store_.cut(request, body);
      return false;
    }
    const bool replaced = fault.status || fault.raw || fault.drop;
    StoreAnswer answer;
    if (!replaced || fault.carry_out) answer = server_.store_.handle(request, body);
    if (replaced) answer = {};
    if (fault.before_answer) fault.before_answer(request);
    return send_answer(request, fault, std::move(answer));
  }

  bool send_answer(const FaultRequest& request, const Fault& fault, StoreAnswer answer) {
    if (!wire_.pause(fault.delay) || fault.drop) return false;
    if (fault.raw) {
      wire_.send(*fault.raw);
      wire_.finish_sending();
      return false;
    }
    return wire_.send_answer(request, fault, std::move(answer)) && !fault.close && !fault.reset;
  }

  FaultServer& server_;
  FaultWire wire_;
  int number_;
};

FaultServer::FaultServer(RegistryStore::Options options) : store_(std::move(options)) {
  listener_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      ::listen(listener_.get(), 64) != 0 ||
      ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw_errno("test server");
  }
  port_ = ntohs(address.sin_port);
  store_.set_base_url(url());
  acceptor_ = std::thread([this] { accept_loop(); });
}

FaultServer::~FaultServer() {
  stopping_ = true;
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_connections_) ::shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : connection_threads_) thread.join();
}

void FaultServer::accept_loop() {
  int number = 0;
  while (!stopping_) {
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    const std::lock_guard lock(mutex_);
    open_connections_.push_back(fd);
    connection_threads_.emplace_back([this, fd, serial = ++number] {
      Connection(*this, fd, serial).serve();
      const std::lock_guard closing(mutex_);
      std::erase(open_connections_, fd);
      ::close(fd);
    });
  }
}

std::size_t FaultServer::note(const FaultRequest& request) {
  const std::lock_guard lock(mutex_);
  requests_.push_back(request);
  changed_.notify_all();
  return requests_.size() - 1;
}

void FaultServer::note_body(std::size_t index, const ReceivedBody& body, bool complete) {
  const std::lock_guard lock(mutex_);
  if (index >= requests_.size()) return;  // the log was cleared meanwhile
  requests_[index].body_length = body.size();
  requests_[index].body = body.content().substr(0, 1 << 16);
  requests_[index].body_complete = complete;
}

Fault FaultServer::fault_for(const FaultRequest& request) {
  std::function<Fault(const FaultRequest&)> make;
  {
    const std::lock_guard lock(mutex_);
    for (Entry& entry : script_) {
      if (!fits(request, entry.match.method, entry.match.target)) continue;
      const int turn = ++entry.seen - entry.match.first;
      if (make || turn < 0 || (entry.match.times > 0 && turn >= entry.match.times)) continue;
      make = entry.make;
    }
  }
  return make ? make(request) : Fault{};
}

void FaultServer::on(Match match, Fault fault) {
  on(std::move(match), [fault = std::move(fault)](const FaultRequest&) { return fault; });
}

void FaultServer::on(Match match, std::function<Fault(const FaultRequest&)> make) {
  const std::lock_guard lock(mutex_);
  script_.push_back({std::move(match), std::move(make)});
}

void FaultServer::clear_script() {
  const std::lock_guard lock(mutex_);
  script_.clear();
}

std::vector<FaultRequest> FaultServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::vector<FaultRequest> FaultServer::requests(std::string_view method, std::string_view target_part) const {
  auto found = requests();
  std::erase_if(found, [&](const FaultRequest& request) { return !fits(request, method, target_part); });
  return found;
}

std::vector<std::string> FaultServer::lines() const {
  std::vector<std::string> lines;
  for (const FaultRequest& request : requests()) lines.push_back(request.line());
  return lines;
}

int FaultServer::count(std::string_view method, std::string_view target_part) const {
  return static_cast<int>(requests(method, target_part).size());
}

void FaultServer::clear_requests() {
  const std::lock_guard lock(mutex_);
  requests_.clear();
}

bool FaultServer::wait_for(std::string_view method, std::string_view target_part, int count) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(10), [&] {
    return std::count_if(requests_.begin(), requests_.end(),
                         [&](const FaultRequest& request) { return fits(request, method, target_part); }) >= count;
  });
}

}  // namespace tektii::testing
