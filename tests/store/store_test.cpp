#include "store/support.hpp"
#include <tektii/store/layout.hpp>
#include <tektii/store/store.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/file_lock.hpp>
#include <tektii/util/hash.hpp>

#include <gmock/gmock.h>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <vector>

namespace tektii::store {
namespace {

namespace fs = std::filesystem;

class StoreTest : public testing::Test {
 protected:
  TempDir dir_;
  fs::path root_ = fs::canonical(dir_.path()) / "cache";
};

std::string key_of(std::string_view text) {
  return Sha256::hex_of(text);
}

TEST_F(StoreTest, IsAnOciLayout) {
  const Store store(root_);
  EXPECT_EQ(read_file(root_ / "oci-layout"), R"({"imageLayoutVersion":"1.0.0"})");
  EXPECT_EQ(read_file(root_ / "index.json"),
            R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})");
  EXPECT_EQ(store.root(), root_);
}

TEST_F(StoreTest, KeepsBlobsAcrossOpens) {
  const auto digest = oci::Digest::of_bytes("hello");
  {
    Store store(root_);
    EXPECT_EQ(store.size_of(digest), std::nullopt);
    auto writer = store.create();
    writer->write(as_byte_span("hel"));
    writer->write(as_byte_span("lo"));
    EXPECT_EQ(store.size_of(digest), std::nullopt);
    const auto info = writer->commit(std::nullopt);
    EXPECT_EQ(info.digest, digest);
    EXPECT_EQ(info.size, 5U);
  }
  Store store(root_);
  EXPECT_EQ(store.size_of(digest), 5U);
  EXPECT_EQ(read_all(*store.open(digest)), "hello");
  EXPECT_EQ(store.blob_path(digest), root_ / "blobs/sha256" / digest.hex());
}

TEST_F(StoreTest, EmptyBlob) {
  Store store(root_);
  const auto info = store.create()->commit(std::nullopt);
  EXPECT_EQ(info.digest, oci::Digest::of_bytes(""));
  EXPECT_EQ(store.size_of(info.digest), 0U);
}

TEST_F(StoreTest, MissingBlobIsAnError) {
  Store store(root_);
  const auto digest = oci::Digest::of_bytes("missing");
  try {
    store.open(digest);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), "blob " + digest.str() + " is not in the store at " + root_.string());
  }
}

TEST_F(StoreTest, WrongContentIsNotKept) {
  Store store(root_);
  const auto wanted = oci::Digest::of_bytes("wanted");
  auto writer = store.create();
  writer->write(as_byte_span("forged"));
  try {
    writer->commit(BlobInfo{wanted, 6});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()),
              "digest mismatch: expected " + wanted.str() + ", got " + oci::Digest::of_bytes("forged").str());
  }
  writer.reset();
  auto longer = store.create();
  longer->write(as_byte_span("wanted and more"));
  EXPECT_THROW(longer->commit(BlobInfo{wanted, 6}), Error);
  longer.reset();
  EXPECT_EQ(count_files(root_ / "blobs/sha256"), 0U);
  EXPECT_EQ(count_files(store.temp_directory()), 1U);  // the lock
}

TEST_F(StoreTest, WriterLeavesNothingWithoutCommit) {
  Store store(root_);
  {
    auto writer = store.create();
    writer->write(as_byte_span("half"));
    EXPECT_EQ(count_files(store.temp_directory()), 2U);
  }
  EXPECT_EQ(count_files(store.temp_directory()), 1U);
}

TEST_F(StoreTest, AWriterCommitsOnce) {
  Store store(root_);
  auto writer = store.create();
  writer->commit(std::nullopt);
  EXPECT_THROW(writer->commit(std::nullopt), Error);
  EXPECT_THROW(writer->write(as_byte_span("x")), Error);
}

TEST_F(StoreTest, SameBlobTwiceHealsADamagedOne) {
  Store store(root_);
  const auto digest = write_blob(store, "content");
  std::ofstream(store.blob_path(digest)) << "damaged";
  EXPECT_EQ(write_blob(store, "content"), digest);
  EXPECT_EQ(read_all(*store.open(digest)), "content");
}

TEST_F(StoreTest, ActionsAreKept) {
  {
    Store store(root_);
    EXPECT_EQ(store.get(key_of("a")), std::nullopt);
    store.put(key_of("a"), R"({"layer":1})");
    store.put(key_of("b"), "");
    store.put(key_of("a"), R"({"layer":2})");
  }
  Store store(root_);
  EXPECT_EQ(store.get(key_of("a")), R"({"layer":2})");
  EXPECT_EQ(store.get(key_of("b")), "");
  const auto key = key_of("a");
  EXPECT_TRUE(fs::exists(root_ / "actions/v1" / key.substr(0, 2) / key.substr(2)));
}

TEST_F(StoreTest, ADamagedBlobIsNoticedWhenItIsRead) {
  const std::string content(300'000, 'c');
  const auto digest = oci::Digest::of_bytes(content);
  const std::vector<std::string> damaged = {content.substr(1), content + "c", std::string(content.size(), 'd'), ""};
  for (const auto& bytes : damaged) {
    Store store(root_);
    write_file_atomic(store.blob_path(digest), bytes);
    StringSink sink;
    const auto source = store.open(digest);
    try {
      copy_stream(*source, sink);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::damaged);
      EXPECT_EQ(std::string(error.what()), "blob " + digest.str() + " was damaged in the store");
    }
    // Nobody got all of it, and it is gone.
    EXPECT_TRUE(sink.str().empty() || sink.str().size() < bytes.size());
    EXPECT_FALSE(store.size_of(digest));
    EXPECT_EQ(write_blob(store, content), digest);
  }
  Store store(root_);
  EXPECT_EQ(read_all(*store.open(digest)), content);
}

TEST_F(StoreTest, WhatAnotherProcessHasHealedStays) {
  const std::string content(300'000, 'c');
  const auto digest = oci::Digest::of_bytes(content);
  Store store(root_);
  write_file_atomic(store.blob_path(digest), std::string(content.size(), 'd'));
  const auto source = store.open(digest);
  Store other(root_);
  EXPECT_EQ(write_blob(other, content), digest);
  EXPECT_THROW(read_all(*source), Error);
  EXPECT_EQ(store.size_of(digest), content.size());
  store.discard(digest);  // as whoever noticed it otherwise does
  EXPECT_EQ(read_all(*store.open(digest)), content);
}

TEST_F(StoreTest, ADamagedBlobGoesOnlyWhenNobodyPutsItThereJustNow) {
  Store store(root_);
  const auto digest = write_blob(store, "content");
  std::ofstream(store.blob_path(digest)) << "damaged";
  std::optional<FileLock> committing = FileLock::acquire(root_ / "gc/v1/gate", LockMode::shared);
  std::jthread discarding([&] { store.discard(digest); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_TRUE(fs::exists(store.blob_path(digest)));
  write_file_atomic(store.blob_path(digest), "content");
  committing.reset();
  discarding.join();
  EXPECT_EQ(read_file(store.blob_path(digest)), "content");
}

// Another process may be stopped, or on a network file system that hangs, while it holds a lock.
TEST_F(StoreTest, WaitsForOtherProcessesCanBeInterrupted) {
  {
    Store before(root_);
    write_blob(before, "old");
  }
  const auto digest = oci::Digest::of_bytes("old");
  Store store(root_);
  fs::last_write_time(store.blob_path(digest), fs::file_time_type::clock::now() - std::chrono::hours(5));
  const auto gate = FileLock::acquire(root_ / "gc/v1/gate", LockMode::exclusive);
  const auto index = FileLock::acquire(root_, LockMode::exclusive);
  std::stop_source stop;
  store.interrupt_by(stop.get_token());
  std::jthread interrupting([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    stop.request_stop();
  });
  const auto expect_interrupted = [](const auto& work) {
    try {
      work();
      ADD_FAILURE() << "not interrupted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::interrupted) << error.what();
    }
  };
  expect_interrupted([&] { store.size_of(digest); });
  expect_interrupted([&] {
    const auto bytes = std::string("{}");
    open_layout_target(root_, "a")
        ->put_manifest({"", oci::Digest::of_bytes(bytes), bytes.size()}, bytes, stop.get_token());
  });
}

TEST_F(StoreTest, AnEmptyBlobIsVerifiedToo) {
  {
    Store store(root_);
    store.create()->commit(std::nullopt);
  }
  Store store(root_);
  const auto source = store.open(oci::Digest::of_bytes(""));
  EXPECT_EQ(read_all(*source), "");
  std::array<std::byte, 4> buffer{};
  EXPECT_EQ(source->read(buffer), 0U);
}

TEST_F(StoreTest, DamagedDocumentsAreMadeAgain) {
  { const Store create(root_); }
  for (const auto* name : {"oci-layout", "index.json"}) {
    for (const auto* text : {"", "{", "\0\0\0", "[]"}) {
      write_file_atomic(root_ / name, text);
      EXPECT_NO_THROW(Store store(root_)) << name << ": " << text;
      EXPECT_NE(read_file(root_ / name), text);
    }
  }
  // A later version of the format is no damage.
  write_file_atomic(root_ / "oci-layout", R"({"imageLayoutVersion":"2.0.0"})");
  EXPECT_THROW(Store store(root_), Error);
}

TEST_F(StoreTest, DamagedActionIsAMiss) {
  Store store(root_);
  const auto key = key_of("a");
  const auto path = root_ / "actions/v1" / key.substr(0, 2) / key.substr(2);
  store.put(key, "record");
  const auto good = read_file(path);
  auto flipped = good;
  flipped.back() = 'X';
  for (const auto& damaged : {std::string(), good.substr(0, 30), good.substr(0, 64), good.substr(0, good.size() - 1),
                              good + "x", flipped, std::string("plain text")}) {
    write_file_atomic(path, damaged);
    EXPECT_EQ(store.get(key), std::nullopt) << damaged;
  }
  store.put(key, "record");
  EXPECT_EQ(store.get(key), "record");
}

TEST_F(StoreTest, ActionKeysCanNotEscape) {
  Store store(root_);
  for (const auto& key : {std::string(), std::string("../x"), std::string(64, '/'), std::string(64, 'A')}) {
    EXPECT_THROW(store.put(key, "x"), Error);
    EXPECT_THROW(store.get(key), Error);
  }
}

TEST_F(StoreTest, UnusableDirectoryHasAHint) {
  write_file_atomic(root_, "a file");
  try {
    const Store store(root_);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("open the store at " + root_.string()));
    ASSERT_FALSE(error.hints().empty());
    EXPECT_THAT(error.hints().back(), testing::HasSubstr("TEKTII_CACHE_DIR"));
  }
}

TEST_F(StoreTest, TempDirectoryGoesWithTheStore) {
  {
    Store store(root_);
    fs::create_directories(store.next_temp_name("unpacked") / "usr/bin");
    EXPECT_NE(store.next_temp_name("x"), store.next_temp_name("x"));
    EXPECT_EQ(store.temp_directory().parent_path(), root_ / "tmp");
  }
  EXPECT_EQ(count_files(root_ / "tmp"), 1U);  // the gate
}

TEST_F(StoreTest, CleansUpAfterDeadProcessesOnly) {
  const Store alive(root_);
  const auto pid = ::fork();
  if (pid == 0) {
    // Ends without destructors, as a killed process does.
    auto* store = new Store(root_);
    auto writer = store->create();
    writer->write(as_byte_span("half"));
    fs::create_directories(store->next_temp_name("tree") / "sub");
    ::_exit(count_files(root_ / "tmp") == 3 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_EQ(status, 0);
  EXPECT_EQ(count_files(root_ / "tmp"), 3U);  // the gate, ours and that of the dead process
  const Store next(root_);
  EXPECT_EQ(count_files(root_ / "tmp"), 3U);  // the gate and the two that live
  EXPECT_TRUE(fs::exists(alive.temp_directory()));
  EXPECT_TRUE(fs::exists(next.temp_directory()));
}

TEST_F(StoreTest, AForkedChildDoesNotRemoveItsParentsFiles) {
  auto store = std::make_unique<Store>(root_);
  auto writer = store->create();
  const auto pid = ::fork();
  if (pid == 0) {
    store.reset();
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(pid, nullptr, 0), pid);
  writer->write(as_byte_span("x"));
  EXPECT_NO_THROW(writer->commit(std::nullopt));
}

TEST_F(StoreTest, ThreadsShareIt) {
  Store store(root_);
  std::atomic<int> failures = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 6; ++t) {
      threads.emplace_back([&] {
        try {
          for (int i = 0; i < 40; ++i) {
            const auto text = "blob " + std::to_string(i);  // every thread writes the same ones
            const auto digest = write_blob(store, text);
            store.put(key_of(text), digest.str());
            if (read_all(*store.open(digest)) != text || store.get(key_of(text)) != digest.str()) ++failures;
          }
        } catch (const std::exception&) {
          ++failures;
        }
      });
    }
  }
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(count_files(root_ / "blobs/sha256"), 40U);
  EXPECT_EQ(count_files(store.temp_directory()), 1U);
}

// What each child does: opens the store anew in every round, so that opens, commits and cleaning meet.
bool work_like_a_process(const fs::path& root) {
  try {
    for (int round = 0; round < 8; ++round) {
      Store store(root);
      for (int i = 0; i < 10; ++i) {
        const auto text = "shared " + std::to_string(i);
        const auto digest = write_blob(store, text);
        store.put(key_of(text), digest.str());
        if (read_all(*store.open(digest)) != text || store.get(key_of(text)) != digest.str()) return false;
      }
    }
    return true;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return false;
  }
}

TEST_F(StoreTest, ProcessesShareIt) {
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    const auto pid = ::fork();
    if (pid == 0) ::_exit(work_like_a_process(root_) ? 0 : 1);
    ASSERT_GT(pid, 0);
    children.push_back(pid);
  }
  for (const auto child : children) {
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  const Store store(root_);
  EXPECT_EQ(count_files(root_ / "blobs/sha256"), 10U);
  EXPECT_EQ(count_files(root_ / "tmp"), 2U);
}

class DefaultRoot : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto* name : {"TEKTII_CACHE_DIR", "XDG_CACHE_HOME", "HOME"}) {
      const char* value = std::getenv(name);
      saved_.emplace_back(name, value == nullptr ? std::nullopt : std::optional<std::string>(value));
      ::unsetenv(name);
    }
  }
  void TearDown() override {
    for (const auto& [name, value] : saved_) {
      if (value) {
        ::setenv(name.c_str(), value->c_str(), 1);
      } else {
        ::unsetenv(name.c_str());
      }
    }
  }

 private:
  std::vector<std::pair<std::string, std::optional<std::string>>> saved_;
};

TEST_F(DefaultRoot, FollowsTheEnvironment) {
  try {
    Store::default_root();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_FALSE(error.hints().empty());
  }
  ::setenv("HOME", "/home/u", 1);
  EXPECT_EQ(Store::default_root(), "/home/u/.cache/tektii");
  ::setenv("XDG_CACHE_HOME", "relative", 1);
  EXPECT_EQ(Store::default_root(), "/home/u/.cache/tektii");
  ::setenv("XDG_CACHE_HOME", "/xdg", 1);
  EXPECT_EQ(Store::default_root(), "/xdg/tektii");
  ::setenv("TEKTII_CACHE_DIR", "/own", 1);
  EXPECT_EQ(Store::default_root(), "/own");
}

}  // namespace
}  // namespace tektii::store
