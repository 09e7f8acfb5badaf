#include "store/support.hpp"
#include <tektii/oci/media_type.hpp>
#include <tektii/store/layout.hpp>
#include <tektii/store/store.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <map>
#include <thread>

namespace tektii::store {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// An image of one layer with the content `text`.
oci::SealedImage make_image(const std::string& text, const oci::Platform& platform = {}) {
  oci::ImageConfig config;
  config.platform = platform;
  config.diff_ids = {oci::Digest::of_bytes("tar of " + text)};
  const oci::Layer layer{{std::string(oci::k_media_layer_gzip), oci::Digest::of_bytes(text), text.size()},
                         config.diff_ids[0]};
  return oci::seal_image(config, {layer}, {});
}

oci::BlobUpload upload(const oci::Descriptor& blob, const std::string& content, int* opened = nullptr) {
  return {blob, [content, opened]() -> std::unique_ptr<ByteSource> {
            if (opened != nullptr) ++*opened;
            return std::make_unique<StringSource>(content);
          }};
}

void put(oci::ImageTarget& target, const oci::SealedImage& image, const std::string& text) {
  target.put_blob(upload(image.layers[0].blob, text), {});
  target.put_blob(upload(image.config, image.config_bytes), {});
  target.put_manifest(image.manifest, image.manifest_bytes, {});
}

template <typename Call>
Error error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(ErrorKind::failure, "no error");
}

class LayoutTest : public testing::Test {
 protected:
  oci::SealedImage add(const std::string& text, const std::string& tag, const oci::Platform& platform = {}) {
    auto image = make_image(text, platform);
    put(*open_layout_target(root_, tag), image, text);
    return image;
  }

  oci::ResolvedImage resolve(const std::string& tag = "") const {
    return open_layout_image(root_, tag)->resolve(oci::Platform{}, {});
  }

  Error resolve_error(const std::string& tag = "") const {
    return error_of([&] { resolve(tag); });
  }

  // Writes a blob beside the port, for documents that no target of ours would make.
  oci::Descriptor add_blob(std::string_view media_type, const std::string& content) const {
    const auto digest = oci::Digest::of_bytes(content);
    write_file_atomic(root_ / "blobs/sha256" / digest.hex(), content);
    return {std::string(media_type), digest, content.size()};
  }

  void set_index(std::vector<oci::Descriptor> entries) const {
    write_file_atomic(root_ / "index.json",
                      oci::Index{std::string(oci::k_media_index), std::move(entries)}.serialise());
  }

  TempDir dir_;
  fs::path root_ = dir_.path() / "layout";
};

TEST_F(LayoutTest, WhatIsWrittenIsRead) {
  const auto image = add("one", "1");
  const auto resolved = resolve();
  EXPECT_EQ(resolved.manifest.digest, image.manifest.digest);
  EXPECT_EQ(resolved.manifest_bytes, image.manifest_bytes);
  EXPECT_EQ(resolved.config_bytes, image.config_bytes);
  ASSERT_EQ(resolved.layers.size(), 1U);
  EXPECT_EQ(resolved.layers[0].origin, std::nullopt);
  StringSink sink;
  open_layout_image(root_, "1")->fetch(resolved.layers[0].blob, sink, {});
  EXPECT_EQ(sink.str(), "one");
}

TEST_F(LayoutTest, IndexBytesAreFixed) {
  const auto image = add("one", "v1");
  EXPECT_EQ(read_file(root_ / "index.json"),
            R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":)"
            R"("application/vnd.oci.image.manifest.v1+json","digest":")" +
                image.manifest.digest.str() + R"(","size":)" + std::to_string(image.manifest_bytes.size()) +
                R"(,"annotations":{"org.opencontainers.image.ref.name":"v1"}}]})");
  EXPECT_EQ(count_files(root_), 3U);
  EXPECT_EQ(count_files(root_ / "blobs/sha256"), 3U);
}

TEST_F(LayoutTest, TagsSelect) {
  const auto first = add("one", "1");
  const auto second = add("two", "2");
  EXPECT_EQ(resolve("1").manifest.digest, first.manifest.digest);
  EXPECT_EQ(resolve("2").manifest.digest, second.manifest.digest);

  const auto unnamed = resolve_error();
  EXPECT_EQ(unnamed.kind(), ErrorKind::usage);
  EXPECT_THAT(unnamed.what(), HasSubstr("holds several images"));
  EXPECT_THAT(unnamed.hints(), testing::ElementsAre("tags in it: 1, 2"));
  const auto wrong = resolve_error("3");
  EXPECT_EQ(wrong.kind(), ErrorKind::usage);
  EXPECT_THAT(wrong.what(), HasSubstr("has no image tagged \"3\""));
  EXPECT_THAT(wrong.hints(), testing::ElementsAre("tags in it: 1, 2"));

  const auto latest = add("three", "latest");
  EXPECT_EQ(resolve().manifest.digest, latest.manifest.digest);
}

TEST_F(LayoutTest, ADigestSelects) {
  const auto first = add("one", "1");
  const auto second = add("two", "2");
  EXPECT_EQ(resolve(first.manifest.digest.str()).manifest.digest, first.manifest.digest);
  set_index({second.manifest});
  EXPECT_EQ(resolve(first.manifest.digest.str()).manifest.digest, first.manifest.digest);  // a blob that no index names
  const auto list =
      add_blob(oci::k_media_index, oci::Index{std::string(oci::k_media_index), {first.manifest}}.serialise());
  EXPECT_EQ(resolve(list.digest.str()).manifest.digest, first.manifest.digest);
  const auto missing = resolve_error(oci::Digest::of_bytes("x").str());
  EXPECT_EQ(missing.kind(), ErrorKind::usage);
  EXPECT_THAT(missing.what(), HasSubstr("has no image sha256:"));
}

TEST_F(LayoutTest, ATagMovesAndOthersStay) {
  add("one", "1");
  const auto other = add("other", "2");
  const auto moved = add("new", "1");
  EXPECT_EQ(resolve("1").manifest.digest, moved.manifest.digest);
  EXPECT_EQ(resolve("2").manifest.digest, other.manifest.digest);
  const auto index = oci::Index::parse(read_file(root_ / "index.json"));
  ASSERT_EQ(index.manifests.size(), 2U);
  EXPECT_EQ(index.manifests[0].digest, moved.manifest.digest);  // in its old place
}

TEST_F(LayoutTest, AnImageWithoutATagIsListedOnce) {
  const auto image = add("one", "");
  add("one", "");
  EXPECT_EQ(oci::Index::parse(read_file(root_ / "index.json")).manifests.size(), 1U);
  EXPECT_EQ(resolve().manifest.digest, image.manifest.digest);
  // Another image without a tag takes its place: nobody could tell the two apart.
  const auto second = add("two", "");
  EXPECT_EQ(oci::Index::parse(read_file(root_ / "index.json")).manifests.size(), 1U);
  EXPECT_EQ(resolve().manifest.digest, second.manifest.digest);
}

TEST_F(LayoutTest, ForeignMembersOfTheIndexStay) {
  add("one", "1");
  auto json = nlohmann::ordered_json::parse(read_file(root_ / "index.json"));
  json["manifests"][0]["artifactType"] = "application/x";
  json["manifests"][0]["annotations"]["vendor"] = "kept";
  json["annotations"]["top"] = "kept";
  write_file_atomic(root_ / "index.json", json.dump());
  add("two", "2");
  const auto after = nlohmann::ordered_json::parse(read_file(root_ / "index.json"));
  EXPECT_EQ(after["manifests"][0], json["manifests"][0]);
  EXPECT_EQ(after["annotations"], json["annotations"]);
  EXPECT_EQ(after["manifests"].size(), 2U);
}

TEST_F(LayoutTest, NothingToSendWhenComplete) {
  const auto image = add("one", "1");
  const auto target = open_layout_target(root_, "1");
  EXPECT_TRUE(target->has_manifest(image.manifest, {}));
  EXPECT_FALSE(open_layout_target(root_, "2")->has_manifest(image.manifest, {}));
  EXPECT_FALSE(target->has_manifest(make_image("two").manifest, {}));
  int opened = 0;
  target->put_blob(upload(image.layers[0].blob, "one", &opened), {});
  EXPECT_EQ(opened, 0);
  fs::remove(root_ / "blobs/sha256" / image.layers[0].blob.digest.hex());
  EXPECT_FALSE(target->has_manifest(image.manifest, {}));
  target->put_blob(upload(image.layers[0].blob, "one", &opened), {});
  EXPECT_EQ(opened, 1);
  EXPECT_TRUE(target->has_manifest(image.manifest, {}));
}

// A disk flips a bit, a program writes into it: the size tells nothing.
TEST_F(LayoutTest, AlteredBlobsAreReplaced) {
  const auto image = add("one", "1");
  for (const auto& [blob, content] :
       std::map<oci::Digest, std::string>{{image.layers[0].blob.digest, "one"},
                                          {image.config.digest, image.config_bytes},
                                          {image.manifest.digest, image.manifest_bytes}}) {
    const auto path = root_ / "blobs/sha256" / blob.hex();
    auto altered = content;
    altered.back() = static_cast<char>(altered.back() ^ 1);
    write_file_atomic(path, altered);
    {
      const auto trusting = open_layout_target(root_, "1", {}, ExistingBlobs::of_right_size);
      trusting->put_blob(upload({"", blob, content.size()}, content), {});
      EXPECT_EQ(read_file(path), altered);
    }
    EXPECT_FALSE(open_layout_target(root_, "1")->has_manifest(image.manifest, {}));
    put(*open_layout_target(root_, "1"), image, "one");
    EXPECT_EQ(read_file(path), content);
    EXPECT_TRUE(open_layout_target(root_, "1")->has_manifest(image.manifest, {}));
  }
}

TEST_F(LayoutTest, TargetVerifiesWhatItGets) {
  const auto image = make_image("one");
  const auto target = open_layout_target(root_, "1");
  EXPECT_THAT(error_of([&] { target->put_blob(upload(image.layers[0].blob, "two"), {}); }).what(),
              HasSubstr("digest mismatch: expected"));
  EXPECT_THROW(target->put_manifest(image.manifest, image.manifest_bytes + " ", {}), Error);
  EXPECT_EQ(count_files(root_ / "blobs/sha256"), 0U);
  EXPECT_EQ(count_files(root_), 3U);
}

TEST_F(LayoutTest, StopIsHonouredAndLeavesNothing) {
  const auto image = make_image("one");
  const auto target = open_layout_target(root_, "1");
  std::stop_source stop;
  oci::BlobUpload slow{image.layers[0].blob, [&]() -> std::unique_ptr<ByteSource> {
                         stop.request_stop();
                         return std::make_unique<StringSource>("one");
                       }};
  EXPECT_EQ(error_of([&] { target->put_blob(slow, stop.get_token()); }).kind(), ErrorKind::interrupted);
  EXPECT_EQ(count_files(root_), 3U);
  EXPECT_EQ(error_of([&] { open_layout_image(root_, "")->resolve({}, stop.get_token()); }).kind(),
            ErrorKind::interrupted);
}

TEST_F(LayoutTest, RefusesAUsersDirectory) {
  fs::create_directories(root_);
  write_file_atomic(root_ / "thesis.txt", "x");
  const auto error = error_of([&] { open_layout_target(root_, "1"); });
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_THAT(error.what(), HasSubstr("not empty and not an OCI image layout"));
  EXPECT_EQ(count_files(root_), 1U);
}

TEST_F(LayoutTest, SaysWhatIsNoLayout) {
  EXPECT_THAT(resolve_error().what(), HasSubstr("no such directory"));
  fs::create_directories(root_);
  EXPECT_THAT(resolve_error().what(), HasSubstr("is not an OCI image layout: it has no oci-layout"));
  write_file_atomic(root_ / "oci-layout", R"({"imageLayoutVersion":"2.0.0"})");
  EXPECT_THAT(resolve_error().what(), HasSubstr("it has no index.json"));
  write_file_atomic(root_ / "index.json", "{}");
  EXPECT_THAT(resolve_error().what(), HasSubstr("not an OCI image layout of version 1"));
  write_file_atomic(root_ / "oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  EXPECT_THAT(resolve_error().what(), HasSubstr("image index: schemaVersion: expected 2"));
  set_index({});
  EXPECT_THAT(resolve_error().what(), HasSubstr("holds no image"));
}

TEST_F(LayoutTest, NestedIndexesAreSearchedByPlatform) {
  const auto amd64 = add("one", "x");
  const auto arm64 = add("two", "y", oci::Platform{"linux", "arm64", ""});
  auto amd64_entry = amd64.manifest;
  amd64_entry.platform = oci::Platform{};
  auto arm64_entry = arm64.manifest;
  arm64_entry.platform = oci::Platform{"linux", "arm64", ""};
  const oci::Index platforms{std::string(oci::k_media_index), {arm64_entry, amd64_entry}};
  const auto inner = add_blob(oci::k_media_index, platforms.serialise());
  auto outer = add_blob(oci::k_media_index, oci::Index{std::string(oci::k_media_index), {inner}}.serialise());
  outer.annotations["org.opencontainers.image.ref.name"] = "multi";
  set_index({outer});
  EXPECT_EQ(resolve("multi").manifest.digest, amd64.manifest.digest);
  EXPECT_EQ(resolve().manifest.digest, amd64.manifest.digest);

  set_index({arm64_entry, amd64_entry});  // the platforms of one image, without a tag
  EXPECT_EQ(resolve().manifest.digest, amd64.manifest.digest);
}

TEST_F(LayoutTest, PlatformErrorListsPlatforms) {
  const auto image = add("one", "x", oci::Platform{"linux", "arm64", ""});
  // Without a platform in the index, the config tells.
  const auto from_config = resolve_error();
  EXPECT_EQ(from_config.kind(), ErrorKind::platform_mismatch);
  EXPECT_STREQ(from_config.what(), "Image platform mismatch (expected linux/amd64, got linux/arm64)");

  auto arm64 = image.manifest;
  arm64.platform = oci::Platform{"linux", "arm64", ""};
  auto s390x = image.manifest;
  s390x.platform = oci::Platform{"linux", "s390x", ""};
  set_index({arm64, s390x});
  const auto from_index = resolve_error();
  EXPECT_EQ(from_index.kind(), ErrorKind::platform_mismatch);
  EXPECT_STREQ(from_index.what(), "Image platform mismatch (expected linux/amd64, got linux/arm64, linux/s390x)");
}

TEST_F(LayoutTest, NestingIsLimited) {
  add("one", "x");
  auto level = add_blob(oci::k_media_index, oci::Index{std::string(oci::k_media_index), {}}.serialise());
  for (int i = 0; i < 20; ++i)
    level = add_blob(oci::k_media_index, oci::Index{std::string(oci::k_media_index), {level}}.serialise());
  set_index({level});
  EXPECT_THAT(resolve_error().what(), HasSubstr("nested deeper"));

  // Few blobs, but exponentially many paths through them.
  level = add_blob(oci::k_media_index, oci::Index{std::string(oci::k_media_index), {}}.serialise());
  for (int i = 0; i < 5; ++i)
    level = add_blob(oci::k_media_index,
                     oci::Index{std::string(oci::k_media_index), std::vector<oci::Descriptor>(100, level)}.serialise());
  set_index({level});
  EXPECT_THAT(resolve_error().what(), HasSubstr("more than 100 nested indexes"));
}

TEST_F(LayoutTest, WhatAKilledProcessLeftGoesAfterADay) {
  open_layout_target(dir_.path() / "out", "1");
  for (const auto& [name, hours] :
       std::map<std::string, int>{{".tektii-1-0x1-0", 25}, {".tektii-2-0x1-0", 1}, {"x", 99}}) {
    write_file_atomic(dir_.path() / "out" / name, "half");
    std::filesystem::last_write_time(dir_.path() / "out" / name,
                                     std::filesystem::file_time_type::clock::now() - std::chrono::hours(hours));
  }
  open_layout_target(dir_.path() / "out", "1");
  EXPECT_FALSE(std::filesystem::exists(dir_.path() / "out/.tektii-1-0x1-0"));
  EXPECT_TRUE(std::filesystem::exists(dir_.path() / "out/.tektii-2-0x1-0"));
  EXPECT_TRUE(std::filesystem::exists(dir_.path() / "out/x"));
}

TEST_F(LayoutTest, DamagedBlobsAreNoticed) {
  const auto image = add("one", "1");
  const auto overwrite = [&](const oci::Digest& digest, const std::string& content) {
    write_file_atomic(root_ / "blobs/sha256" / digest.hex(), content);
  };
  const auto source = open_layout_image(root_, "1");
  const auto fetch = [&] {
    StringSink sink;
    source->fetch(image.layers[0].blob, sink, {});
  };
  overwrite(image.layers[0].blob.digest, "two");
  EXPECT_THAT(error_of(fetch).what(), HasSubstr("digest mismatch: expected"));
  overwrite(image.layers[0].blob.digest, "longer");
  EXPECT_THAT(error_of(fetch).what(), HasSubstr("size mismatch: expected 3 bytes, got 6"));
  fs::remove(root_ / "blobs/sha256" / image.layers[0].blob.digest.hex());
  EXPECT_THAT(error_of(fetch).what(), HasSubstr("the blob is missing"));

  auto config = image.config_bytes;
  config[3] = 'X';
  overwrite(image.config.digest, config);
  EXPECT_THAT(resolve_error("1").what(), HasSubstr("digest mismatch"));
  overwrite(image.manifest.digest, "short");
  EXPECT_THAT(resolve_error("1").what(), HasSubstr("size mismatch"));
  fs::remove(root_ / "blobs/sha256" / image.manifest.digest.hex());
  EXPECT_THAT(resolve_error("1").what(), HasSubstr("the blob is missing"));
}

TEST_F(LayoutTest, PodmansFullReferencesMatchTheirTag) {
  auto image = add("one", "x").manifest;
  image.annotations["org.opencontainers.image.ref.name"] = "localhost/app:1";
  auto other = add("two", "y").manifest;
  other.annotations["org.opencontainers.image.ref.name"] = "2";
  set_index({image, other});
  EXPECT_EQ(resolve("1").manifest.digest, image.digest);
}

TEST_F(LayoutTest, WritersInThreadsAndProcessesAllAppear) {
  std::vector<pid_t> children;
  for (int p = 0; p < 3; ++p) {
    const auto pid = ::fork();
    if (pid == 0) {
      try {
        for (int i = 0; i < 5; ++i) add("p" + std::to_string(p * 10 + i), "p" + std::to_string(p * 10 + i));
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        ::_exit(1);
      }
      ::_exit(0);
    }
    children.push_back(pid);
  }
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([this, t] {
        for (int i = 0; i < 5; ++i) EXPECT_NO_THROW(add("same", "t" + std::to_string(t * 10 + i)));
      });
    }
  }
  for (const auto child : children) {
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(oci::Index::parse(read_file(root_ / "index.json")).manifests.size(), 30U);
  EXPECT_EQ(resolve("p24").config_bytes, make_image("p24").config_bytes);
  EXPECT_EQ(count_files(root_), 3U);
}

TEST_F(LayoutTest, AStoreIsALayoutToo) {
  Store store(root_);
  const auto image = add("one", "1");
  EXPECT_EQ(store.size_of(image.manifest.digest), image.manifest_bytes.size());
  EXPECT_EQ(resolve("1").manifest.digest, image.manifest.digest);
}

}  // namespace
}  // namespace tektii::store
