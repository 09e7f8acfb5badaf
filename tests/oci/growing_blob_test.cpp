#include <tektii/oci/growing_blob.hpp>
#include <tektii/util/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>

namespace tektii::oci {
namespace {

// A file that grows.
class Growing {
 public:
  void append(const std::string& text) {
    const std::lock_guard lock(mutex_);
    text_ += text;
  }
  BlobOpener opener() {
    return [this] { return std::make_unique<Reader>(*this); };
  }

 private:
  class Reader : public ByteSource {
   public:
    explicit Reader(Growing& file) : file_(file) {}
    std::size_t read(std::span<std::byte> out) override {
      const std::lock_guard lock(file_.mutex_);
      const auto count = std::min(out.size(), file_.text_.size() - position_);
      std::transform(file_.text_.begin() + static_cast<std::ptrdiff_t>(position_),
                     file_.text_.begin() + static_cast<std::ptrdiff_t>(position_ + count), out.begin(),
                     [](char c) { return static_cast<std::byte>(c); });
      position_ += count;
      return count;
    }

   private:
    Growing& file_;
    std::size_t position_ = 0;
  };

  std::mutex mutex_;
  std::string text_;
};

Descriptor descriptor_of(const std::string& text) {
  return {"", Digest::of_bytes(text), text.size()};
}

TEST(GrowingBlob, IsReadWhileItGrows) {
  Growing file;
  GrowingBlob blob(file.opener());
  file.append("one,");
  blob.grew(4);
  const auto source = blob.open({});
  std::string first(4, '\0');
  EXPECT_EQ(source->read(std::as_writable_bytes(std::span(first))), 4U);
  EXPECT_EQ(first, "one,");
  EXPECT_EQ(blob.sealed(), std::nullopt);
  std::string rest;
  std::atomic<bool> ended = false;
  std::jthread reader([&] {
    rest = read_all(*source);
    ended = true;
  });
  file.append("two,");
  blob.grew(8);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(ended) << "more may come";
  file.append("three");
  blob.seal(descriptor_of("one,two,three"));
  reader.join();
  EXPECT_EQ(rest, "two,three");
  EXPECT_EQ(blob.wait({}), descriptor_of("one,two,three"));
  EXPECT_EQ(read_all(*blob.open({})), "one,two,three") << "from the start again";
}

TEST(GrowingBlob, ADroppedOneWakesItsReaders) {
  Growing file;
  GrowingBlob blob(file.opener());
  std::jthread dropper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    blob.drop();
  });
  try {
    read_all(*blob.open({}));
    ADD_FAILURE() << "it ended like a whole one";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
  EXPECT_EQ(blob.wait({}), std::nullopt);
}

TEST(GrowingBlob, SealedItCanNotBeDropped) {
  Growing file;
  file.append("x");
  GrowingBlob blob(file.opener());
  blob.seal(descriptor_of("x"));
  blob.drop();
  EXPECT_EQ(read_all(*blob.open({})), "x");
}

TEST(GrowingBlob, AStopEndsTheWait) {
  Growing file;
  GrowingBlob blob(file.opener());
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    stop.request_stop();
  });
  EXPECT_THROW(blob.wait(stop.get_token()), Error);
  EXPECT_THROW(read_all(*blob.open(stop.get_token())), Error);
}

}  // namespace
}  // namespace tektii::oci
