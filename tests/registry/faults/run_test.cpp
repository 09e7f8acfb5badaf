#include "registry/faults/fault_fixture.hpp"
#include <tektii/util/fd.hpp>
#include <tektii/util/hash.hpp>

#include <fmt/format.h>

#include <fcntl.h>

#include <atomic>
#include <fstream>
#include <thread>

// What concerns a whole run: several clients, tags and blobs, a stop, a full disk, sizes.

namespace tektii::registry {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(FaultTable, Row50_AStopGivesUploadsUp) {
  std::stop_source stop;
  server->on({"PUT", "/uploads/", 1, 0}, Fault{.stop_reading_after = 1000});
  std::vector<std::thread> uploads;
  std::atomic<int> interrupted{0};
  for (int i = 0; i < 4; ++i) {
    uploads.emplace_back([&, i] {
      const auto target = client->target(reference("app:1"));
      const Error error =
          error_of([&] { target->put_blob(upload_of(big_content(static_cast<char>('a' + i))), stop.get_token()); });
      if (error.kind() == ErrorKind::interrupted) ++interrupted;
    });
  }
  EXPECT_TRUE(server->wait_for("PUT", "/uploads/", 4));
  const auto began = std::chrono::steady_clock::now();
  stop.request_stop();
  for (std::thread& upload : uploads) upload.join();
  EXPECT_EQ(interrupted, 4);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(4));
  EXPECT_EQ(server->count("DELETE", "/uploads/"), 4);
  EXPECT_EQ(server->store().open_uploads(), 0U);
}

TEST_F(FaultTable, Row50_GivingUpMayFail) {
  std::stop_source stop;
  server->on({"PUT", "/uploads/", 1, 0}, Fault{.stop_reading_after = 1000});
  server->on({"DELETE", "", 1, 0}, Fault{.delay = std::chrono::seconds(20)});
  std::thread stopper([&] {
    server->wait_for("PUT", "/uploads/");
    stop.request_stop();
  });
  const auto target = client->target(reference("app:1"));
  const auto began = std::chrono::steady_clock::now();
  const Error error = error_of([&] { target->put_blob(upload_of(big_content()), stop.get_token()); });
  stopper.join();
  EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(6));
}

TEST_F(FaultTable, Row51_TwoPushesAtOnce) {
  const SampleImage image = make_sample_image({big_content('1'), "two", "three"});
  // The one finds the uploads of the other gone, as when a registry cleans up after the first.
  server->on({"PUT", "/uploads/", 2, 1}, error_fault(404, "BLOB_UPLOAD_UNKNOWN"));
  RegistryClient other(deps());
  std::thread second([&] {
    const auto target = other.target(reference("app:1"));
    for (const auto& [digest, content] : image.blobs) target->put_blob(upload_of(content), {});
    target->put_manifest(image.sealed.manifest, image.sealed.manifest_bytes, {});
  });
  push(image, "app:1");
  second.join();
  EXPECT_EQ(server->store().manifest("app", "1"), image.sealed.manifest_bytes);
  for (const auto& [digest, content] : image.blobs) EXPECT_TRUE(server->store().blob("app", digest) == content);
}

TEST_F(FaultTable, Row52_AFullDiskIsACleanError) {
  const std::string content = big_content();
  server->store().add_blob("app", content);
  FdSink full(open_file("/dev/full", O_WRONLY), "/dev/full");
  const auto source = client->image(reference("app:1"));
  const Error error = error_of([&] { source->fetch(descriptor_of(content), full, {}); });
  EXPECT_EQ(error.kind(), ErrorKind::failure);
  EXPECT_THAT(error.what(), HasSubstr("No space left on device"));
  EXPECT_EQ(server->count("GET"), 1) << "no server is blamed for it";
  EXPECT_EQ(fetch(content), content) << "and the client is as good as new";
}

TEST_F(FaultTable, Row53_EachBlobIsSentOnceForAllTags) {
  const SampleImage image = make_sample_image({"one", big_content(), "three"});
  const SampleImage other = make_sample_image({"one", big_content(), "another platform"});
  std::vector<std::thread> pushes;
  for (int tag = 0; tag < 10; ++tag) {
    pushes.emplace_back([&, tag] {
      push(image, fmt::format("app:{}", tag));
      push(other, fmt::format("app:other-{}", tag));
    });
  }
  for (std::thread& one : pushes) one.join();
  EXPECT_EQ(server->count("PUT", "/manifests/"), 20);
  EXPECT_EQ(server->count("PUT", "/uploads/"), 6) << "four layers and two configs";
  EXPECT_EQ(server->count("HEAD", "/blobs/"), 6);
}

TEST_F(FaultTable, Row54_AnUnchangedImageIsOneRequestPerTag) {
  const SampleImage image = make_sample_image({"one", "two"});
  push(image, "app:1");
  push(image, "app:2");
  server->clear_requests();
  restart_client();
  for (const char* tag : {"1", "2"}) {
    EXPECT_TRUE(client->target(reference(std::string("app:") + tag))->has_manifest(image.sealed.manifest, {}));
  }
  EXPECT_THAT(server->lines(), ElementsAre("HEAD /v2/app/manifests/1", "HEAD /v2/app/manifests/2"));
}

TEST_F(FaultTable, Row54_ABaseOfTenLayersIsTenMounts) {
  std::vector<std::string> layers;
  for (int i = 0; i < 10; ++i) layers.push_back(fmt::format("base layer {}", i));
  const SampleImage base = make_sample_image(layers);
  publish(base, "base", "1");
  layers.push_back("our own");
  SampleImage image = make_sample_image(layers);
  for (std::size_t i = 0; i < 10; ++i) image.sealed.layers[i].origin = oci::BlobOrigin{server->name(), "base"};
  push(image, "app:1");
  EXPECT_EQ(server->count("POST", "mount="), 10);
  EXPECT_EQ(server->count("HEAD", "/blobs/"), 2) << "for our own layer and the config";
  EXPECT_EQ(server->count("PUT", "/uploads/"), 2);
  EXPECT_EQ(server->count(), 10 + 2 * 3 + 1);
}

// Bytes that need no memory: every eight of them are their number.
void generate(std::uint64_t offset, std::span<char> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::uint64_t at = offset + i;
    out[i] = static_cast<char>((at / 8) >> (8 * (at % 8)));
  }
}

class GeneratedSource : public ByteSource {
 public:
  explicit GeneratedSource(std::uint64_t size) : size_(size) {}
  std::size_t read(std::span<std::byte> out) override {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - position_));
    generate(position_, {reinterpret_cast<char*>(out.data()), count});
    position_ += count;
    return count;
  }

 private:
  std::uint64_t size_;
  std::uint64_t position_ = 0;
};

class NullSink : public ByteSink {
 public:
  void write(ByteSpan data) override { size += data.size(); }
  std::uint64_t size = 0;
};

// VmHWM in KiB.
std::uint64_t peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6));
  }
  return 0;
}

class FaultTableHuge : public FaultTable {
 protected:
  void SetUp() override {
    RegistryStore::Options options;
    options.keep_limit = 1 << 20;  // of longer ones the server keeps digest and size
    start(options);
  }
  static oci::Descriptor describe(std::uint64_t size) {
    GeneratedSource source(size);
    NullSink nowhere;
    HashingSink hash(nowhere);
    copy_stream(source, hash, {});
    return {std::string(oci::k_media_layer), oci::Digest::of_hex(hash.finish_hex()), size};
  }
  // There and back again, by way of a connection that breaks beyond 4 GiB when the blob is so long.
  void push_and_pull(std::uint64_t size) {
    const auto blob = describe(size);
    const auto memory_before = peak_memory();
    client->target(reference("app:1"))
        ->put_blob({blob, [size] { return std::make_unique<GeneratedSource>(size); }}, {});
    EXPECT_TRUE(server->store().has_blob("app", blob.digest.str()));
    EXPECT_EQ(server->requests("PUT", "/uploads/").at(0).body_length, size);
    server->store().add_blob("app", blob.digest.str(), size, generate);
    const std::uint64_t cut = size - size / 4;
    server->on({"GET", "/blobs/"}, Fault{.cut_answer_after = cut});
    NullSink sink;
    client->image(reference("app:1"))->fetch(blob, sink, {});
    EXPECT_EQ(sink.size, size);
    EXPECT_THAT(server->requests("GET", "/blobs/").at(1).header("Range").value_or(""), HasSubstr("bytes="));
    EXPECT_LT(peak_memory() - memory_before, 64U << 10) << "KiB";
  }
};

TEST_F(FaultTableHuge, Row55_MemoryDoesNotGrowWithTheBlob) {
  push_and_pull(200 << 20);
}

TEST_F(FaultTableHuge, Row55_Slow_TwelveGibibytes) {
  if (std::getenv("TEKTII_SLOW_TESTS") == nullptr) GTEST_SKIP() << "minutes; part of the tests with the label slow";
  push_and_pull(std::uint64_t{12} << 30U);
}

// Sizes beyond 32 bits without the bytes: what is said of them, and what is asked for.
TEST_F(FaultTableHuge, Row55_SizesOfMoreThan32Bits) {
  const std::uint64_t size = (std::uint64_t{5} << 30U) + 7;
  const oci::Descriptor blob{std::string(oci::k_media_layer), oci::Digest::of_bytes("stands for five gibibytes"), size};
  server->store().add_blob("app", blob.digest.str(), size, generate);
  client->target(reference("app:1"))->put_blob({blob, [size] { return std::make_unique<GeneratedSource>(size); }}, {});
  EXPECT_EQ(server->count(), 1) << "HEAD tells the right length";
  server->store().remove_blob("app", blob.digest.str());
  transfer.retry_timeout = std::chrono::milliseconds(0);
  restart_client();
  server->on({"PUT", "/uploads/", 1, 0}, Fault{.answer_before_body = true, .status = 403});
  EXPECT_THROW(client->target(reference("app:1"))
                   ->put_blob({blob, [size] { return std::make_unique<GeneratedSource>(size); }}, {}),
               Error);
  EXPECT_EQ(server->requests("PUT").at(0).header("Content-Length"), std::to_string(size));
}

}  // namespace
}  // namespace tektii::registry
