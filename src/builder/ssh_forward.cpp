#include "ssh_forward.hpp"

#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <exception>
#include <iterator>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tektii::builder {
namespace {

// Messages of draft-ietf-sshm-ssh-agent: a length of four bytes, and a byte that says what it is.
constexpr unsigned char k_failure = 5;
constexpr unsigned char k_request_identities = 11;
constexpr unsigned char k_sign_request = 13;
// At one time. A command that opens more at once than any ssh does must not use up the descriptors of the build.
constexpr std::size_t k_most_connections = 64;
constexpr std::chrono::milliseconds k_shortage{50};
constexpr std::size_t k_longest_message = std::size_t{256} << 10;

UniqueFd make_socket() {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) throw_errno("can't create a socket");
  return fd;
}

// A socket's name may have 107 bytes only; through a descriptor of its directory every path is short enough.
sockaddr_un address_in(const UniqueFd& directory, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = fmt::format("/proc/self/fd/{}/{}", directory.get(), name);
  if (path.size() >= sizeof address.sun_path) throw_errno("can't name a socket " + name, ENAMETOOLONG);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

UniqueFd connect_to(const std::filesystem::path& path) {
  const UniqueFd directory = open_file(path.parent_path(), O_PATH | O_DIRECTORY);
  const auto address = address_in(directory, path.filename().string());
  UniqueFd fd = make_socket();
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw_errno("can't reach the ssh agent at " + path.string());
  }
  return fd;
}

bool read_all_of(int fd, char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t count = ::recv(fd, data, size, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    data += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

bool write_all_of(int fd, const std::string& data) {
  for (std::size_t sent = 0; sent < data.size();) {
    const ssize_t count = ::send(fd, data.data() + sent, data.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    sent += static_cast<std::size_t>(count);
  }
  return true;
}

// One message with its length in front; false at the end of the connection or on nonsense.
bool read_message(int fd, std::string& message) {
  std::array<unsigned char, 4> head{};
  if (!read_all_of(fd, reinterpret_cast<char*>(head.data()), head.size())) return false;
  std::size_t size = 0;
  for (const unsigned char byte : head) size = size << 8U | byte;
  if (size == 0 || size > k_longest_message) return false;
  message.assign(reinterpret_cast<const char*>(head.data()), head.size());
  message.resize(head.size() + size);
  return read_all_of(fd, message.data() + head.size(), size);
}

bool is_allowed(const std::string& message) {
  const auto type = static_cast<unsigned char>(message.at(4));
  return type == k_request_identities || type == k_sign_request;
}

}  // namespace

struct SshForward::Impl {
  struct Connection {
    std::thread thread;
    bool done = false;  // the thread touches nothing any more
  };

  std::filesystem::path agent;
  UniqueFd listener;
  std::mutex mutex;
  std::condition_variable changed;  // a connection is done, or everything is to end
  bool ending = false;
  std::vector<int> open;              // connections to be shut down at the end; owned by their threads
  std::list<Connection> connections;  // of the accepting thread, and at the end
  std::thread accepting;

  // While it lives, the end of everything shuts the connection down.
  class Watch {
   public:
    Watch(Impl& impl, int fd) : impl_(impl), fd_(fd) {
      const std::lock_guard lock(impl_.mutex);
      impl_.open.push_back(fd_);
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch() {
      const std::lock_guard lock(impl_.mutex);
      std::erase(impl_.open, fd_);
    }

   private:
    Impl& impl_;
    int fd_;
  };

  bool is_ending() {
    const std::lock_guard lock(mutex);
    return ending;
  }

  void relay(int client, int server) const {
    std::string message;
    while (read_message(client, message)) {
      if (!is_allowed(message)) {
        message = {0, 0, 0, 1, static_cast<char>(k_failure)};
      } else if (!write_all_of(server, message) || !read_message(server, message)) {
        return;
      }
      if (!write_all_of(client, message)) return;
    }
  }

  void serve(const UniqueFd& client) {
    const UniqueFd server = connect_to(agent);
    const Watch client_watch(*this, client.get());
    const Watch server_watch(*this, server.get());
    if (!is_ending()) relay(client.get(), server.get());
  }

  // At the edge of a thread: what goes wrong (an agent that is gone) ends this connection, which the command's ssh
  // reports. It is closed before it counts as done, so that there are never more open than served.
  void serve_at_edge(UniqueFd client, Connection& connection) {
    try {
      serve(client);
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): closing it is all that can be done
    }
    client.reset();
    const std::lock_guard lock(mutex);
    connection.done = true;
    changed.notify_all();
  }

  // Starts to serve a connection. One for which no thread can be had is closed, as it would be by a busy agent.
  void start(UniqueFd client) {
    const std::lock_guard lock(mutex);
    if (ending) return;
    const auto known = connections.size();
    try {
      auto& connection = connections.emplace_back();
      const int fd = client.get();
      connection.thread = std::thread([this, fd, &connection] { serve_at_edge(UniqueFd(fd), connection); });
      client.release();
    } catch (const std::exception&) {
      connections.resize(known);
    }
  }

  // Ends the threads that are done, and waits while there are as many others as may be; false when everything is to
  // end. Whoever connects meanwhile waits in the queue of the socket.
  bool make_room() {
    std::unique_lock lock(mutex);
    while (true) {
      for (auto it = connections.begin(); it != connections.end();) {
        if (it->done) it->thread.join();
        it = it->done ? connections.erase(it) : std::next(it);
      }
      if (ending || connections.size() < k_most_connections) return !ending;
      changed.wait(lock);
    }
  }

  // After an accept without result; false when the socket was shut down. The connection that there were no descriptors
  // or no memory for is still in the queue.
  bool try_again(int error_number) {
    if (error_number == EINTR || error_number == ECONNABORTED) return true;
    const bool is_short =
        error_number == EMFILE || error_number == ENFILE || error_number == ENOBUFS || error_number == ENOMEM;
    if (!is_short) return false;
    std::unique_lock lock(mutex);
    changed.wait_for(lock, k_shortage, [this] { return ending; });
    return !ending;
  }

  void accept_all() {
    while (make_room()) {
      UniqueFd client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (client) {
        start(std::move(client));
      } else if (!try_again(errno)) {
        return;
      }
    }
  }
};

SshForward::SshForward(std::filesystem::path agent, const std::filesystem::path& socket, const SocketOwner& owner)
    : impl_(std::make_unique<Impl>()) {
  impl_->agent = std::move(agent);
  connect_to(impl_->agent);  // an agent that is not there is told before the command starts
  const UniqueFd directory = open_file(socket.parent_path(), O_PATH | O_DIRECTORY);
  const auto address = address_in(directory, socket.filename().string());
  impl_->listener = make_socket();
  if (::bind(impl_->listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(impl_->listener.get(), SOMAXCONN) != 0 || ::chmod(socket.c_str(), owner.mode) != 0 ||
      ::chown(socket.c_str(), owner.uid, owner.gid) != 0) {
    throw_errno("can't make the socket of an ssh agent");
  }
  impl_->accepting = std::thread([impl = impl_.get()] { impl->accept_all(); });
}

SshForward::~SshForward() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->ending = true;
    for (const int fd : impl_->open) ::shutdown(fd, SHUT_RDWR);
  }
  impl_->changed.notify_all();
  ::shutdown(impl_->listener.get(), SHUT_RDWR);
  impl_->accepting.join();
  for (auto& connection : impl_->connections) connection.thread.join();
}

}  // namespace tektii::builder
