#include "store/support.hpp"
#include "support/deep_tree.hpp"
#include "support/fake_clock.hpp"
#include <tektii/oci/manifest.hpp>
#include <tektii/store/gc.hpp>
#include <tektii/store/layout.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/file_lock.hpp>
#include <tektii/util/hash.hpp>

#include <gmock/gmock.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

namespace tektii::store {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::uint64_t k_mega = 1U << 20U;

// A store whose objects were made by processes that have ended. The clock says what the file system says, and more.
class GcTest : public ::testing::Test {
 protected:
  GcTest() : root_(fs::canonical(dir_.path()) / "cache") {
    // Whole seconds: of the fake clock's.
    now_ = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    clock_.advance(std::chrono::duration_cast<std::chrono::milliseconds>(now_ - clock_.now()));
  }

  static void set_age(const fs::path& path, std::chrono::seconds age) {
    const auto time = std::chrono::system_clock::now() - age;
    const std::array<timespec, 2> times = {
        timespec{0, UTIME_OMIT},
        timespec{std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count(), 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW), 0) << path;
  }

  // Returns the path below the root.
  fs::path add_file(const fs::path& path, std::chrono::seconds age, std::uint64_t size = k_mega) {
    make_directories((root_ / path).parent_path());
    write_file_atomic(root_ / path, std::string(size, 'x'));
    set_age(root_ / path, age);
    return path;
  }
  fs::path add_directory(const fs::path& path, std::chrono::seconds age, std::uint64_t size = k_mega) {
    make_directories(root_ / path / "fs");
    write_file_atomic(root_ / path / "fs" / "file", std::string(size, 'x'));
    set_age(root_ / path, age);
    return path;
  }
  fs::path add_blob(std::string_view content, std::chrono::seconds age) {
    const auto digest = oci::Digest::of_bytes(content);
    make_directories(root_ / "blobs/sha256");
    write_file_atomic(root_ / "blobs/sha256" / digest.hex(), content);
    set_age(root_ / "blobs/sha256" / digest.hex(), age);
    return fs::path("blobs/sha256") / digest.hex();
  }

  struct Image {
    oci::Descriptor manifest;
    std::string manifest_bytes;
    oci::Digest config;
    oci::Digest layer;
    std::vector<oci::Digest> blobs() const { return {manifest.digest, config, layer}; }
  };
  // One of a layer and a config, under a tag.
  Image add_image(const std::string& layer, const std::string& tag, std::chrono::seconds age) {
    const std::string config = "{}";
    const oci::Manifest manifest{
        "application/vnd.oci.image.manifest.v1+json",
        {"application/vnd.oci.image.config.v1+json", oci::Digest::of_bytes(config), config.size()},
        {{"application/vnd.oci.image.layer.v1.tar", oci::Digest::of_bytes(layer), layer.size()}},
        {}};
    const auto bytes = manifest.serialise();
    { const Store create(root_); }
    Image image{{manifest.media_type, oci::Digest::of_bytes(bytes), bytes.size()},
                bytes,
                manifest.config.digest,
                manifest.layers[0].digest};
    for (const auto& text : {layer, config, bytes}) add_blob(text, age);
    open_layout_target(root_, tag)->put_manifest(image.manifest, bytes, {});
    return image;
  }
  std::vector<oci::Descriptor> listed() const { return oci::Index::parse(read_file(root_ / "index.json")).manifests; }

  std::vector<CacheArea> areas() const {
    return {{"trees", "trees/v1", [](std::string_view name) { return name != "locks"; }, true}};
  }
  GarbageCollector collector(Store& store) { return {store, areas(), clock_}; }
  PruneResult prune(Store& store, const PruneOptions& options) {
    return collector(store).prune(options, [] { ADD_FAILURE() << "had to wait"; }, {});
  }
  bool exists(const fs::path& path) const { return fs::exists(root_ / path); }

  static std::vector<std::string> paths(const std::vector<CacheEntry>& entries) {
    std::vector<std::string> all;
    for (const auto& entry : entries) all.push_back(entry.path.string());
    return all;
  }
  // Entries without those that every store has.
  std::vector<CacheEntry> entries(Store& store) {
    auto all = collector(store).entries({});
    std::erase_if(all, [](const auto& entry) { return entry.kind == "temporary files"; });
    return all;
  }

  TempDir dir_;
  fs::path root_;
  std::chrono::system_clock::time_point now_;
  tektii::testing::FakeClock clock_;
};

TEST_F(GcTest, MeasuresWhatTheDiskHasAllocated) {
  const auto tree = add_directory("trees/v1/a", hours(1), 3 * k_mega);
  fs::create_hard_link(root_ / tree / "fs/file", root_ / tree / "fs/again");
  ASSERT_EQ(::truncate((root_ / add_file("trees/v1/sparse", hours(2), 1)).c_str(), 1 << 30), 0);
  set_age(root_ / "trees/v1/sparse", hours(2));
  add_directory("trees/v1/locks", hours(1));
  Store store(root_);
  const auto found = entries(store);
  ASSERT_EQ(found.size(), 2U);
  for (const auto& entry : found) {
    EXPECT_EQ(entry.kind, "trees");
    EXPECT_TRUE(entry.reclaimable());
    EXPECT_FALSE(entry.out_of_reach && ::geteuid() == 0);
  }
  const auto& a = found[0].path == tree ? found[0] : found[1];
  const auto& sparse = found[0].path == tree ? found[1] : found[0];
  EXPECT_GE(a.size, 3 * k_mega);
  EXPECT_LT(a.size, 4 * k_mega);
  EXPECT_LT(sparse.size, k_mega);
}

TEST_F(GcTest, DeepDirectoriesAreMeasuredAndRemoved) {
  const fs::path tree = "trees/v1/deep";
  constexpr int k_depth = 300;
  tektii::testing::make_deep_tree(root_ / tree / "fs", k_depth);
  set_age(root_ / tree, hours(2));
  Store store(root_);
  const tektii::testing::FewFiles few(64);
  const auto found = entries(store);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_GE(found[0].size, k_depth * std::uint64_t{512});
  const auto result = prune(store, {});
  EXPECT_THAT(result.failures, IsEmpty());
  EXPECT_THAT(paths(result.removed), ElementsAre(tree.string()));
  EXPECT_FALSE(exists(tree));
}

TEST_F(GcTest, LeastRecentlyUsedGoesFirst) {
  const auto oldest = add_blob(std::string(k_mega, 'a'), hours(5));
  const auto newest = add_blob(std::string(k_mega, 'b'), hours(1));
  const auto old = add_directory("trees/v1/x", hours(4));
  Store store(root_);
  PruneOptions options;
  options.keep_storage = 2 * k_mega + k_mega / 2;
  const auto result = prune(store, options);
  EXPECT_THAT(paths(result.removed), ElementsAre(oldest.string()));
  EXPECT_THAT(result.failures, IsEmpty());
  EXPECT_GE(result.freed, k_mega);
  EXPECT_FALSE(exists(oldest));
  EXPECT_TRUE(exists(old));
  options.keep_storage = 0;
  EXPECT_THAT(paths(prune(store, options).removed), ElementsAre(old.string(), newest.string()));
  EXPECT_TRUE(fs::is_empty(root_ / "trees/v1"));
  EXPECT_EQ(count_files(store.temp_directory()), 1U);  // its lock
}

TEST_F(GcTest, OlderThanAndDryRun) {
  const auto old = add_blob("old", hours(25));
  const auto young = add_blob("young", hours(23));
  Store store(root_);
  PruneOptions options;
  options.older_than = hours(24);
  options.dry_run = true;
  EXPECT_THAT(paths(prune(store, options).removed), ElementsAre(old.string()));
  EXPECT_TRUE(exists(old));
  options.dry_run = false;
  EXPECT_THAT(paths(prune(store, options).removed), ElementsAre(old.string()));
  EXPECT_FALSE(exists(old));
  EXPECT_TRUE(exists(young));
}

TEST_F(GcTest, WhatARunningProcessUsedStays) {
  const auto used = add_blob("used", hours(5));
  const auto unused = add_blob("unused", hours(5));
  const auto tree = add_directory("trees/v1/used", hours(5));
  Store build(root_);
  EXPECT_TRUE(build.size_of(oci::Digest::of_bytes("used")));
  EXPECT_TRUE(build.marks().mark(root_ / tree));
  EXPECT_FALSE(build.marks().mark(root_ / "trees/v1/none"));
  // Made by the running process, and never asked for.
  const auto made = write_blob(build, "made");
  build.put(Sha256::hex_of("key"), "{}");
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  Store other(root_);
  EXPECT_THAT(paths(prune(other, {}).removed), ElementsAre(unused.string()));
  EXPECT_TRUE(exists(used));
  EXPECT_TRUE(exists(tree));
  EXPECT_TRUE(build.size_of(made));
  EXPECT_TRUE(build.get(Sha256::hex_of("key")));
  EXPECT_FALSE(build.size_of(oci::Digest::of_bytes("unused")));
}

TEST_F(GcTest, WhatAnEndedProcessUsedGoes) {
  {
    Store build(root_);
    write_blob(build, "made");
    build.put(Sha256::hex_of("key"), "{}");
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  Store other(root_);
  EXPECT_EQ(prune(other, {}).removed.size(), 2U);
  EXPECT_FALSE(other.get(Sha256::hex_of("key")));
}

TEST_F(GcTest, MarksAreOnlyAsNewAsNeeded) {
  const auto blob = add_blob("used", hours(5));
  Store build(root_);
  ASSERT_TRUE(build.size_of(oci::Digest::of_bytes("used")));
  const auto first = fs::last_write_time(root_ / blob);
  EXPECT_LT(fs::file_time_type::clock::now() - first, hours(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ASSERT_TRUE(build.size_of(oci::Digest::of_bytes("used")));
  EXPECT_EQ(fs::last_write_time(root_ / blob), first);
}

TEST_F(GcTest, TaggedImagesStayUnlessAllIsAskedFor) {
  add_image(std::string(k_mega, 'l'), "app:1", hours(30));
  const auto loose = add_blob("loose", hours(30));

  Store store(root_);
  EXPECT_EQ(entries(store).size(), 4U);
  for (const auto& entry : entries(store)) EXPECT_EQ(entry.kept, entry.path != loose) << entry.path;
  const auto kept = prune(store, {});
  EXPECT_THAT(paths(kept.removed), ElementsAre(loose.string()));
  EXPECT_THAT(kept.images, IsEmpty());
  EXPECT_EQ(listed().size(), 1U);

  PruneOptions all;
  all.images = true;
  all.dry_run = true;
  EXPECT_THAT(prune(store, all).images, ElementsAre("app:1"));
  EXPECT_EQ(listed().size(), 1U);
  all.dry_run = false;
  const auto result = prune(store, all);
  EXPECT_THAT(result.images, ElementsAre("app:1"));
  EXPECT_EQ(result.removed.size(), 3U);
  EXPECT_THAT(listed(), IsEmpty());
}

// A directory where the new index.json would be written, which fails there like a full disk does.
TEST_F(GcTest, ImagesGoAlsoWhereTheIndexCanNotBeWritten) {
  add_image("layer", "app:1", hours(30));
  const auto loose = add_blob("loose", hours(30));
  std::optional<Store> store(root_);
  const auto obstacle = root_ / (".index.json." + std::to_string(::getpid()));
  make_directories(obstacle);
  PruneOptions all;
  all.images = true;
  const auto result = prune(*store, all);
  EXPECT_EQ(result.removed.size(), 4U);
  EXPECT_EQ(result.removed.front().path, loose);
  EXPECT_THAT(result.images, ElementsAre("app:1"));
  EXPECT_FALSE(exists("index.json"));
  EXPECT_EQ(result.failures.size(), 1U);  // it can't be made again either
  fs::remove(obstacle);
  store.reset();
  store.emplace(root_);
  EXPECT_THAT(listed(), IsEmpty());
}

TEST_F(GcTest, ImagesStayWhenTheIndexCanNotBeWrittenAndOthersAreInUse) {
  const auto old = add_image("old", "old:1", hours(30));
  const auto used = add_image("used", "used:1", hours(30));
  const auto loose = add_blob("loose", hours(30));
  Store store(root_);
  for (const auto& blob : used.blobs()) ASSERT_TRUE(store.size_of(blob));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const auto obstacle = root_ / (".index.json." + std::to_string(::getpid()));
  make_directories(obstacle);
  PruneOptions all;
  all.images = true;
  const auto failed = prune(store, all);
  EXPECT_THAT(paths(failed.removed), ElementsAre(loose.string()));
  ASSERT_EQ(failed.failures.size(), 1U);
  EXPECT_THAT(failed.failures[0], ::testing::HasSubstr("tagged images stay: "));
  EXPECT_EQ(listed().size(), 2U);
  for (const auto& blob : old.blobs()) EXPECT_TRUE(fs::exists(store.blob_path(blob)));
  fs::remove(obstacle);
  EXPECT_THAT(prune(store, all).images, ElementsAre("old:1"));
  ASSERT_EQ(listed().size(), 1U);
  EXPECT_EQ(listed()[0].digest, used.manifest.digest);
}

// Does something when it is first asked for the time, which is when the survey is over.
class AfterSurveyClock : public Clock {
 public:
  explicit AfterSurveyClock(std::function<void()> action) : action_(std::move(action)) {}
  std::chrono::system_clock::time_point now() const override {
    if (const auto action = std::exchange(action_, nullptr)) action();
    return system_.now();
  }
  bool sleep_for(std::chrono::milliseconds duration, const std::stop_token& stop) override {
    return system_.sleep_for(duration, stop);
  }

 private:
  mutable std::function<void()> action_;
  SystemClock system_;
};

TEST_F(GcTest, AnImageThatIsNamedDuringACollectionStays) {
  const auto image = add_image("layer", "app:1", hours(30));
  const auto loose = add_blob("loose", hours(30));
  Store store(root_);
  AfterSurveyClock clock([&] {
    Store build(root_);
    for (const auto& blob : image.blobs()) ASSERT_TRUE(build.size_of(blob));
    open_layout_target(root_, "app:2", {}, ExistingBlobs::of_right_size)
        ->put_manifest(image.manifest, image.manifest_bytes, {});
  });
  PruneOptions all;
  all.images = true;
  const auto result = GarbageCollector(store, {}, clock).prune(all, [] {}, {});
  EXPECT_THAT(result.images, IsEmpty());
  EXPECT_THAT(paths(result.removed), ElementsAre(loose.string()));
  EXPECT_EQ(listed().size(), 2U);
  for (const auto& blob : image.blobs()) EXPECT_TRUE(store.size_of(blob));
}

TEST_F(GcTest, LeftoversOfKilledProcessesGo) {
  { const Store create(root_); }
  add_file(".tektii-77-0x1-0", hours(1));
  add_file(".index.json.77", hours(1), 10);
  add_file("index.json.mine", hours(1), 10);  // whose it is we don't know
  Store store(root_);
  PruneOptions options;
  options.keep_storage = 1U << 30U;
  options.older_than = hours(1000);
  EXPECT_THAT(paths(prune(store, options).removed), UnorderedElementsAre("./.tektii-77-0x1-0", "./.index.json.77"));
  EXPECT_TRUE(exists("index.json.mine"));
}

TEST_F(GcTest, DirectoriesThatAreWorkedInStay) {
  Store store(root_);
  make_directories(root_ / "tmp/77-alive");
  make_directories(root_ / "tmp/77-dead");
  const auto alive = FileLock::acquire(root_ / "tmp/77-alive/lock", LockMode::exclusive);
  // Older than any lease, as after a change of the clock.
  for (const auto* name : {"tmp/77-alive", "tmp/77-dead"}) set_age(root_ / name, hours(5));
  EXPECT_THAT(paths(prune(store, {}).removed), ElementsAre("tmp/77-dead"));
}

TEST_F(GcTest, AutomaticCollectionKeepsTheLimit) {
  for (int i = 0; i < 10; ++i) add_directory("trees/v1/" + std::to_string(i), hours(10 + i));
  Store store(root_);
  const CacheLimit limit{CacheLimit::Kind::bytes, 5 * k_mega};
  const auto result = collector(store).collect(limit, {});
  ASSERT_TRUE(result);
  // To nine tenths; directories weigh a little too.
  EXPECT_EQ(result->removed.size(), 6U);
  EXPECT_LE(result->left, limit.value);
  EXPECT_TRUE(exists("trees/v1/0"));
  EXPECT_FALSE(exists("trees/v1/9"));
  // Nothing grew, so nothing is measured.
  EXPECT_FALSE(collector(store).collect(limit, {}));
  clock_.advance(hours(2));
  const auto later = collector(store).collect(limit, {});
  ASSERT_TRUE(later);
  EXPECT_THAT(later->removed, IsEmpty());
}

TEST_F(GcTest, OffIsOff) {
  add_directory("trees/v1/a", hours(10));
  Store store(root_);
  EXPECT_FALSE(collector(store).collect({CacheLimit::Kind::off}, {}));
  EXPECT_TRUE(exists("trees/v1/a"));
}

TEST_F(GcTest, WhatTakesThePlaceOfAnotherIsGuarded) {
  add_blob("old", hours(5));
  Store store(root_);
  const auto path = store.blob_path(oci::Digest::of_bytes("old"));
  EXPECT_FALSE(store.marks().guard_replacement(store.blob_path(oci::Digest::of_bytes("none"))));
  {
    const auto held = store.marks().guard_replacement(path);
    ASSERT_TRUE(held);
    EXPECT_FALSE(FileLock::try_acquire(root_ / "gc/v1/gate", LockMode::exclusive));
  }
  EXPECT_TRUE(FileLock::try_acquire(root_ / "gc/v1/gate", LockMode::exclusive));
}

TEST_F(GcTest, OneCollectionAtATime) {
  Store store(root_);
  auto lock = std::optional(FileLock::acquire(root_ / "gc/v1/lock", LockMode::exclusive));
  EXPECT_FALSE(collector(store).collect({CacheLimit::Kind::bytes, 1}, {}));
  int waits = 0;
  collector(store).prune({},
                         [&] {
                           ++waits;
                           lock.reset();
                         },
                         {});
  EXPECT_EQ(waits, 1);
}

TEST_F(GcTest, ADamagedStateIsMeasuredAnew) {
  add_directory("trees/v1/a", hours(10));
  Store store(root_);
  const CacheLimit limit{CacheLimit::Kind::bytes, 100 * k_mega};
  ASSERT_TRUE(collector(store).collect(limit, {}));
  for (const auto* name : {"state", "state.summary"}) {
    for (const auto* text : {"", "{", "[]", R"({"total":"x"})", R"({"trees/v1/a":3})"}) {
      write_file_atomic(root_ / "gc/v1" / name, text);
      EXPECT_EQ(entries(store).size(), 1U);
      EXPECT_NO_THROW(collector(store).collect(limit, {}));
    }
  }
}

TEST_F(GcTest, ADirectoryThatWasUsedSinceIsMeasuredAgain) {
  const auto tree = add_directory("trees/v1/a", hours(10));
  Store store(root_);
  ASSERT_TRUE(collector(store).collect({CacheLimit::Kind::bytes, 100 * k_mega}, {}));
  // Behind our back the size is not noticed: the mark says that nobody used it.
  write_file_atomic(root_ / tree / "fs/more", std::string(4 * k_mega, 'x'));
  set_age(root_ / tree, hours(9));
  const auto found = entries(store);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_GE(found[0].size, 5 * k_mega);
}

TEST(CacheLimitTest, Bytes) {
  constexpr std::uint64_t k_giga = 1'000'000'000;
  const CacheLimit automatic;
  EXPECT_EQ(automatic.bytes(1000 * k_giga, 500 * k_giga, 0), 100 * k_giga);
  EXPECT_EQ(automatic.bytes(50 * k_giga, 40 * k_giga, 0), 10 * k_giga);
  EXPECT_EQ(automatic.bytes(50 * k_giga, 4 * k_giga, 8 * k_giga), 6 * k_giga);
  EXPECT_EQ((CacheLimit{CacheLimit::Kind::percent, 25}).bytes(100 * k_giga, 0, 0), 25 * k_giga);
  EXPECT_EQ((CacheLimit{CacheLimit::Kind::bytes, 7}).bytes(100, 0, 0), 7U);
  EXPECT_EQ((CacheLimit{CacheLimit::Kind::off}).bytes(100, 0, 0), std::nullopt);
}

// Threads that use blobs while others remove them: whoever was told that one is there can read it.
TEST_F(GcTest, WhatWasFoundCanBeRead) {
  std::vector<oci::Digest> digests;
  for (int i = 0; i < 200; ++i) {
    const auto text = std::to_string(i);
    add_blob(text, hours(5));
    digests.push_back(oci::Digest::of_bytes(text));
  }
  std::atomic<int> found = 0;
  {
    std::vector<std::jthread> threads;
    for (int worker = 0; worker < 2; ++worker) {
      threads.emplace_back([&, worker] {
        Store build(root_);
        for (std::size_t i = 0; i < digests.size(); ++i) {
          const auto& digest = digests[worker == 0 ? i : digests.size() - 1 - i];
          if (!build.size_of(digest)) continue;
          ++found;
          std::this_thread::sleep_for(std::chrono::microseconds(50));
          EXPECT_NO_THROW(read_all(*build.open(digest)));
        }
      });
    }
    threads.emplace_back([&] {
      Store other(root_);
      for (int i = 0; i < 5; ++i) {
        PruneOptions options;
        options.keep_storage = (200U - static_cast<unsigned>(i) * 50U) * 4096;
        prune(other, options);
      }
    });
  }
  RecordProperty("found", found);
}

}  // namespace
}  // namespace tektii::store
