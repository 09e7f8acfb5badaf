#include <tektii/util/bounded_queue.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

namespace tektii {
namespace {

TEST(BoundedQueue, HandsValuesOnInOrderAndEndsWhenClosed) {
  BoundedQueue<std::unique_ptr<int>> queue(3);
  std::vector<int> received;
  std::jthread reader([&] {
    while (const auto value = queue.pop()) received.push_back(**value);
  });
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(queue.push(std::make_unique<int>(i)));
  queue.close();
  reader.join();
  ASSERT_EQ(received.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(received[static_cast<std::size_t>(i)], i);
  EXPECT_FALSE(queue.push(std::make_unique<int>(1)));
}

TEST(BoundedQueue, WaitsForRoom) {
  BoundedQueue<int> queue(2);
  std::atomic<int> pushed = 0;
  std::jthread writer([&] {
    for (int i = 0; i < 3; ++i) {
      queue.push(i);
      ++pushed;
    }
  });
  while (pushed < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(pushed, 2);
  EXPECT_EQ(queue.pop(), 0);
  writer.join();
  EXPECT_EQ(pushed, 3);
}

TEST(BoundedQueue, AbandonedItDropsWhatIsThereAndWakesThoseThatWait) {
  BoundedQueue<int> queue(1);
  EXPECT_TRUE(queue.push(1));
  std::atomic<bool> accepted = true;
  std::jthread writer([&] { accepted = queue.push(2); });
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  queue.abandon();
  writer.join();
  EXPECT_FALSE(accepted);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

}  // namespace
}  // namespace tektii
