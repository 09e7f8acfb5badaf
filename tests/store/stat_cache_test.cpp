#include <tektii/store/stat_cache.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/hash.hpp>

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace tektii::store {
namespace {

constexpr std::int64_t k_second = 1'000'000'000;
constexpr std::int64_t k_day = 86'400 * k_second;
constexpr std::int64_t k_now = 20'000 * k_day;

FileStamp stamp_of(std::uint64_t inode, std::int64_t age = 10 * k_second) {
  return {1, inode, 100, k_now - age, k_now - age};
}

class StatCacheTest : public testing::Test {
 protected:
  StatCache open(std::int64_t now = k_now) { return {file_, now}; }

  TempDir directory_;
  std::filesystem::path file_ = directory_.path() / "stat" / "v1" / "context";
  StatCache::Content content_{Sha256().update("content").finish_bytes()};
};

TEST_F(StatCacheTest, RemembersAcrossOpens) {
  {
    auto cache = open();
    EXPECT_EQ(cache.find(stamp_of(1)), std::nullopt);
    cache.remember(stamp_of(1), content_);
    EXPECT_EQ(cache.find(stamp_of(1)), content_);
    cache.save();
  }
  auto cache = open();
  EXPECT_EQ(cache.find(stamp_of(1)), content_);
  EXPECT_EQ(cache.find(stamp_of(2)), std::nullopt);
}

TEST_F(StatCacheTest, RemembersWhetherThereIsACapability) {
  StatCache::Content capable = content_;
  capable.has_capability = true;
  auto cache = open();
  cache.remember(stamp_of(1), content_);
  cache.remember(stamp_of(1), capable);
  EXPECT_EQ(cache.find(stamp_of(1)), capable);
  cache.save();
  EXPECT_EQ(open().find(stamp_of(1)), capable);
}

TEST_F(StatCacheTest, EveryFieldCounts) {
  auto cache = open();
  const FileStamp known = stamp_of(1);
  cache.remember(known, content_);
  for (auto field : {&FileStamp::device, &FileStamp::inode, &FileStamp::size}) {
    FileStamp other = known;
    ++(other.*field);
    EXPECT_EQ(cache.find(other), std::nullopt);
  }
  for (auto field : {&FileStamp::mtime_nanoseconds, &FileStamp::ctime_nanoseconds}) {
    FileStamp other = known;
    ++(other.*field);
    EXPECT_EQ(cache.find(other), std::nullopt);
  }
}

// A write within one tick of the clock leaves the times as they are, so what was just written is not to be trusted; nor
// are times that lie in the future.
TEST_F(StatCacheTest, DoesNotKeepWhatMayStillChange) {
  auto cache = open();
  cache.remember(stamp_of(1, k_second), content_);
  cache.remember(stamp_of(2, -k_day), content_);
  FileStamp restored = stamp_of(3);
  restored.ctime_nanoseconds = k_now;
  cache.remember(restored, content_);
  EXPECT_EQ(cache.find(stamp_of(1, k_second)), std::nullopt);
  EXPECT_EQ(cache.find(stamp_of(2, -k_day)), std::nullopt);
  EXPECT_EQ(cache.find(restored), std::nullopt);
  cache.save();
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(StatCacheTest, DropsWhatNobodyAskedForInAMonth) {
  {
    auto cache = open();
    cache.remember(stamp_of(1), content_);
    cache.remember(stamp_of(2), content_);
    cache.save();
  }
  {
    auto later = open(k_now + 20 * k_day);
    EXPECT_EQ(later.find(stamp_of(1)), content_);
    later.save();
  }
  {
    auto latest = open(k_now + 40 * k_day);
    latest.remember(stamp_of(3), content_);
    latest.save();
  }
  auto cache = open(k_now + 40 * k_day);
  EXPECT_EQ(cache.find(stamp_of(1)), content_);
  EXPECT_EQ(cache.find(stamp_of(2)), std::nullopt);
  EXPECT_EQ(cache.find(stamp_of(3)), content_);
}

TEST_F(StatCacheTest, ADamagedFileCountsAsEmpty) {
  {
    auto cache = open();
    cache.remember(stamp_of(1), content_);
    cache.save();
  }
  const std::string good = read_file(file_);
  std::string flipped = good;
  flipped[good.size() - 20] = static_cast<char>(flipped[good.size() - 20] ^ 1);
  for (const std::string& text :
       {flipped, good.substr(0, good.size() - 1), good.substr(0, 10), std::string(), good + good, "x" + good}) {
    write_file_atomic(file_, text);
    EXPECT_EQ(open().find(stamp_of(1)), std::nullopt);
  }
  write_file_atomic(file_, good);
  EXPECT_EQ(open().find(stamp_of(1)), content_);
}

TEST_F(StatCacheTest, SeveralThreads) {
  auto cache = open();
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&cache, thread, this] {
        for (std::uint64_t i = 0; i < 200; ++i) {
          cache.remember(stamp_of(i), content_);
          EXPECT_EQ(cache.find(stamp_of(i)), content_);
          if (thread == 0 && i % 50 == 0) cache.save();
        }
      });
    }
  }
  cache.save();
  auto again = open();
  for (std::uint64_t i = 0; i < 200; ++i) EXPECT_EQ(again.find(stamp_of(i)), content_);
}

}  // namespace
}  // namespace tektii::store
