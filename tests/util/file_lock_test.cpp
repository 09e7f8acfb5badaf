#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/file_lock.hpp>

#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <sstream>
#include <thread>

namespace tektii {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

TEST(FileLock, OneHasItOrSeveralShareIt) {
  const TempDir dir;
  const auto path = dir.path() / "lock";
  {
    const auto first = FileLock::acquire(path, LockMode::shared);
    EXPECT_TRUE(FileLock::try_acquire(path, LockMode::shared));
    EXPECT_FALSE(FileLock::try_acquire(path, LockMode::exclusive));
  }
  const auto alone = FileLock::acquire(dir.path(), LockMode::exclusive);  // a directory
  EXPECT_FALSE(FileLock::try_acquire(dir.path(), LockMode::shared));
  EXPECT_TRUE(FileLock::try_acquire(path, LockMode::exclusive));
}

TEST(FileLock, WaitsUntilItIsFree) {
  const TempDir dir;
  std::optional<FileLock> held = FileLock::acquire(dir.path() / "lock", LockMode::exclusive);
  std::atomic<bool> has_it = false;
  std::jthread waiting([&] {
    const auto lock = FileLock::acquire(dir.path() / "lock", LockMode::shared);
    has_it = true;
  });
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_FALSE(has_it);
  held.reset();
  waiting.join();
  EXPECT_TRUE(has_it);
}

TEST(FileLock, AWaitCanBeInterrupted) {
  const TempDir dir;
  const auto held = FileLock::acquire(dir.path() / "lock", LockMode::exclusive);
  steady_clock::time_point stopped;
  std::optional<ErrorKind> kind;
  {
    std::jthread waiting([&](const std::stop_token& stop) {
      try {
        FileLock::acquire(dir.path() / "lock", LockMode::shared, stop);
      } catch (const Error& error) {
        kind = error.kind();
      }
    });
    std::this_thread::sleep_for(milliseconds(50));
    stopped = steady_clock::now();
  }
  EXPECT_EQ(kind, ErrorKind::interrupted);
  EXPECT_LT(steady_clock::now() - stopped, seconds(1));
}

TEST(FileLock, SaysWhatItWaitsForAfterASecond) {
  std::ostringstream said;
  const auto before = spdlog::default_logger();
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(said)));
  const TempDir dir;
  const auto path = dir.path() / "lock";
  std::optional<FileLock> held = FileLock::acquire(path, LockMode::exclusive);
  std::jthread holder([&] {
    std::this_thread::sleep_for(milliseconds(1300));
    held.reset();
  });
  FileLock::acquire(path, LockMode::exclusive);
  spdlog::set_default_logger(before);
  EXPECT_THAT(said.str(), ::testing::HasSubstr("waiting for the lock on " + path.string()));
}

}  // namespace
}  // namespace tektii
