// The agent that a command is given: how many connections it serves at once, and what it does without descriptors.
#include <tektii/util/fd.hpp>
#include <tektii/util/file.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <builder/ssh_forward.hpp>
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace tektii::builder {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view k_list_keys{"\0\0\0\1\13", 5};
constexpr std::string_view k_no_keys{"\0\0\0\5\14\0\0\0\0", 9};

sockaddr_un address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

UniqueFd make_socket() {
  return UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

// Has no keys; counts who is connected.
class FakeAgent {
 public:
  explicit FakeAgent(const std::filesystem::path& path) : listener_(make_socket()) {
    const auto address = address_of(path);
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_.get(), SOMAXCONN), 0);
    accepting_ = std::thread([this] { accept_all(); });
  }
  FakeAgent(const FakeAgent&) = delete;
  FakeAgent& operator=(const FakeAgent&) = delete;
  ~FakeAgent() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    accepting_.join();
    for (auto& thread : threads_) thread.join();
  }

  int most() const { return most_; }

 private:
  void accept_all() {
    while (true) {
      const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0 && errno == EMFILE) {
        std::this_thread::sleep_for(10ms);
        continue;
      }
      if (fd < 0) return;
      most_ = std::max<int>(most_, ++connected_);
      threads_.emplace_back([this, fd] { serve(UniqueFd(fd)); });
    }
  }

  void serve(const UniqueFd& client) {
    std::array<char, 64> buffer{};
    while (::recv(client.get(), buffer.data(), buffer.size(), 0) > 0) {
      ::send(client.get(), k_no_keys.data(), k_no_keys.size(), MSG_NOSIGNAL);
    }
    --connected_;
  }

  UniqueFd listener_;
  std::thread accepting_;
  std::vector<std::thread> threads_;
  std::atomic<int> connected_{0};
  std::atomic<int> most_{0};
};

class SshForwardTest : public ::testing::Test {
 protected:
  // Reads give up after a while.
  void connect(const UniqueFd& fd) const {
    const timeval limit{10, 0};
    EXPECT_EQ(::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    const auto address = address_of(socket_);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }

  static void ask(const UniqueFd& fd) {
    EXPECT_EQ(::send(fd.get(), k_list_keys.data(), k_list_keys.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(k_list_keys.size()));
  }

  static std::string answer(const UniqueFd& fd) {
    std::string text(k_no_keys.size(), ' ');
    const auto count = ::recv(fd.get(), text.data(), text.size(), MSG_WAITALL);
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
  }

  TempDir directory_;
  std::filesystem::path path_ = directory_.path() / "agent";
  std::filesystem::path socket_ = directory_.path() / "forward";
  SocketOwner owner_{0600, ::geteuid(), ::getegid()};
};

TEST_F(SshForwardTest, ServesSomeAtOnceAndEveryoneInTheEnd) {
  FakeAgent agent(path_);
  const SshForward forward(path_, socket_, owner_);
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 150; ++i) {
    clients.push_back(make_socket());
    connect(clients.back());
    ask(clients.back());
  }
  for (std::size_t i = 0; i < 64; ++i) EXPECT_EQ(answer(clients[i]), k_no_keys);
  EXPECT_GE(agent.most(), 64);
  EXPECT_LE(agent.most(), 65);  // with the one that looked whether it is there
  for (std::size_t i = 0; i < clients.size(); ++i) {
    if (i >= 64) {
      EXPECT_EQ(answer(clients[i]), k_no_keys) << i;
    }
    clients[i].reset();
  }
}

TEST_F(SshForwardTest, EndsWhileMoreWaitThanAreServed) {
  FakeAgent agent(path_);
  std::vector<UniqueFd> clients;
  const SshForward forward(path_, socket_, owner_);
  for (int i = 0; i < 100; ++i) {
    clients.push_back(make_socket());
    connect(clients.back());
    ask(clients.back());
  }
}

TEST_F(SshForwardTest, GoesOnWhenThereAreDescriptorsAgain) {
  FakeAgent agent(path_);
  const SshForward forward(path_, socket_, owner_);
  const auto first = make_socket();
  const auto second = make_socket();
  const auto client = make_socket();
  {
    std::vector<UniqueFd> all;
    for (int fd = ::dup(client.get()); fd >= 0; fd = ::dup(client.get())) all.emplace_back(fd);
    ASSERT_EQ(errno, EMFILE);
    connect(first);  // takes the descriptor that a waiting accept has already
    std::this_thread::sleep_for(50ms);
    connect(second);
    std::this_thread::sleep_for(100ms);
  }
  connect(client);
  ask(client);
  EXPECT_EQ(answer(client), k_no_keys);
}

}  // namespace
}  // namespace tektii::builder
