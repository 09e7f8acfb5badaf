// --cache-from and --cache-to end to end: the binary, with stores that share nothing, against a registry that counts.
#include "support/fake_registry.hpp"
#include <tektii/oci/manifest.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/hash.hpp>
#include <tektii/util/process.hpp>
#include <tektii/util/text.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <iterator>

namespace tektii {
namespace {

using ::testing::AllOf;
using testing::FakeRegistry;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ServerRequest;
using testing::ServerResponse;

class CachesTest : public ::testing::Test {
 protected:
  CachesTest() {
    write("ctx/Dockerfile", "FROM scratch\nCOPY a /a\nCOPY b /b\nENV C=d\nWORKDIR /w\n");
    write("ctx/a", "a");
    write("ctx/b", "b");
  }

  void write(const std::string& path, const std::string& text) {
    make_directories((directory_.path() / path).parent_path());
    write_file_atomic(directory_.path() / path, text);
  }
  std::string path(const std::string& name) const { return (directory_.path() / name).string(); }
  std::string cache() const { return registry_.name() + "/cache:main"; }

  // Builds with the store of that name; counts requests from here.
  ProcessResult build(const std::string& store, const std::vector<std::string>& arguments) {
    registry_.server().clear_requests();
    std::vector<std::string> argv = {TEKTII_BINARY, "build", "--progress", "plain"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    argv.push_back("ctx");
    ProcessOptions options;
    options.cwd = directory_.path();
    options.extra_env = {"TEKTII_CACHE_DIR=" + path(store), "NO_COLOR=1", "DOCKER_CONFIG=/nonexistent"};
    options.leave_out = [](std::string_view name) { return name == "SOURCE_DATE_EPOCH"; };
    return run_process(argv, options);
  }
  std::string digest(const ProcessResult& result) {
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return std::string(trim(result.out));
  }
  std::size_t cached_steps(const ProcessResult& result) const {
    std::size_t count = 0;
    for (const auto& line : split(result.err, '\n')) count += line.ends_with(" CACHED") ? 1 : 0;
    return count;
  }
  // Alters a byte of every layer in an OCI layout.
  void damage_layers(const std::string& layout) const {
    for (const auto& entry : std::filesystem::directory_iterator(path(layout + "/blobs/sha256"))) {
      auto content = read_file(entry.path());
      if (content.starts_with('{')) continue;
      content.back() = static_cast<char>(content.back() ^ 1);
      write_file_atomic(entry.path(), content);
    }
  }
  int count(std::string_view method, std::string_view prefix = "") { return registry_.server().count(method, prefix); }

  TempDir directory_;
  FakeRegistry registry_;
};

TEST_F(CachesTest, RegistryCacheCostsAsFewRequestsAsItCan) {
  const auto first = digest(build("one", {"--cache-to", "type=registry,mode=max,ref=" + cache()}));
  EXPECT_FALSE(registry_.manifest("cache", "main").empty());

  const auto second = build("two", {"--cache-from", cache()});
  EXPECT_EQ(digest(second), first);
  EXPECT_EQ(cached_steps(second), 3U);
  EXPECT_EQ(count("GET", "/v2/cache/manifests/main"), 1);
  EXPECT_EQ(count("GET", "/v2/cache/blobs/"), 1);   // the records
  EXPECT_EQ(count("HEAD", "/v2/cache/blobs/"), 3);  // one per layer
  EXPECT_EQ(registry_.server().lines().size(), 5U);

  const auto third = build("two", {"--cache-from", cache(), "--cache-to", "type=registry,mode=max,ref=" + cache()});
  EXPECT_EQ(digest(third), first);
  EXPECT_THAT(third.err, HasSubstr("exporting cache to " + cache()));
  EXPECT_EQ(count("HEAD", "/v2/cache/manifests/main"), 1);
  EXPECT_EQ(count("GET", "/v2/cache/blobs/"), 0);    // the records are here by now
  EXPECT_EQ(registry_.server().lines().size(), 5U);  // else as before, and the one look
}

TEST_F(CachesTest, PushToTheRegistryOfTheCacheMountsTheLayers) {
  digest(build("one", {"--cache-to", cache()}));
  const auto second = build("two", {"--cache-from", cache(), "--push", "-t", registry_.name() + "/app:1"});
  EXPECT_EQ(digest(second), std::string(trim(second.out)));
  EXPECT_FALSE(registry_.manifest("app", "1").empty());
  EXPECT_EQ(count("GET", "/v2/cache/blobs/"), 1);
  EXPECT_EQ(count("PUT", "/v2/app/blobs/uploads/"), 1);  // the config
}

TEST_F(CachesTest, ExportAfterAPushMountsTheLayersOfTheImage) {
  digest(build("one", {"--push", "-t", registry_.name() + "/app:1", "--cache-to", cache()}));
  EXPECT_EQ(count("PUT", "/v2/app/blobs/uploads/"), 4);
  EXPECT_EQ(count("PUT", "/v2/cache/blobs/uploads/"), 1);  // the records
}

TEST_F(CachesTest, CacheOfAnImage) {
  const auto name = registry_.name() + "/app:1";
  const auto first = digest(build("one", {"--push", "-t", name, "--cache-to", "type=inline"}));
  const auto second = build("two", {"--cache-from", "type=registry,ref=" + name, "--cache-to", "type=inline"});
  EXPECT_EQ(digest(second), first);
  EXPECT_EQ(cached_steps(second), 3U);
  const auto third = build("three", {"--cache-from", name, "--build-arg", "BUILDKIT_INLINE_CACHE=1"});
  EXPECT_EQ(digest(third), first);
  EXPECT_EQ(cached_steps(third), 3U);
  const auto plain = build("three", {});
  EXPECT_NE(digest(plain), first);
}

TEST_F(CachesTest, LocalCacheOfAFirstRunAndOfASecond) {
  const std::vector<std::string> both = {"--cache-from", "type=local,src=kept", "--cache-to", "type=local,dest=kept"};
  const auto first = build("one", both);
  EXPECT_THAT(first.err, HasSubstr("Warning: cache " + path("kept") + ": there is none yet"));
  const auto index = read_file(path("kept/index.json"));
  const auto second = build("two", both);
  EXPECT_EQ(digest(second), digest(first));
  EXPECT_EQ(cached_steps(second), 4U);  // and the cache itself, which did not change
  EXPECT_THAT(second.err, Not(HasSubstr("Warning: cache")));
  EXPECT_EQ(read_file(path("kept/index.json")), index);
}

TEST_F(CachesTest, LocalCacheDoesNotGrowFromRunToRun) {
  const auto blobs = [&] {
    const std::filesystem::directory_iterator all(path("kept/blobs/sha256"));
    return std::distance(begin(all), end(all));
  };
  const std::vector<std::string> both = {"--cache-from", "type=local,src=kept", "--cache-to", "type=local,dest=kept"};
  digest(build("one", both));
  EXPECT_EQ(blobs(), 5);  // three layers, records, manifest
  write("ctx/a", "changed");
  const auto second = build("two", both);
  EXPECT_EQ(blobs(), 5);
  EXPECT_EQ(digest(build("three", both)), digest(second));
}

TEST_F(CachesTest, DamagedLayersAreMadeAgain) {
  const auto first = digest(build("one", {"--cache-to", "type=local,dest=kept"}));
  damage_layers("kept");
  // The last step is new: it needs the files below it.
  write("ctx/Dockerfile", "FROM scratch\nCOPY a /a\nCOPY b /b\nENV C=d\nWORKDIR /w\nWORKDIR /x\n");
  const auto second = build("two", {"--cache-from", "type=local,src=kept", "--output", "type=oci,dest=out"});
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_THAT(second.err, HasSubstr("a layer that it offered can't be had"));
  EXPECT_EQ(digest(build("three", {})), digest(second));
}

// No step reads the layers, so they turn out to be damaged when the image is written.
TEST_F(CachesTest, LayersThatAreDamagedWhenTheImageIsWrittenAreMadeAgain) {
  std::string dockerfile = "FROM scratch\n";
  for (int i = 0; i < 12; ++i) {
    write("ctx/f" + std::to_string(i), "file " + std::to_string(i));
    dockerfile += "COPY f" + std::to_string(i) + " /\n";
  }
  write("ctx/Dockerfile", dockerfile);
  const auto first = digest(build("one", {"--cache-to", "type=local,dest=kept"}));
  damage_layers("kept");
  const auto second = build("two", {"--cache-from", "type=local,src=kept", "--output", "type=oci,dest=out"});
  EXPECT_EQ(digest(second), first);
  EXPECT_THAT(second.err, AllOf(HasSubstr("can't be had"), HasSubstr("it is made again")));
}

TEST_F(CachesTest, LayersOfARegistryThatAreDamagedWhenTheImageIsPushedAreMadeAgain) {
  const auto first = digest(build("one", {"--cache-to", cache()}));
  const auto layer = oci::Manifest::parse(registry_.manifest("cache", "main")).layers.at(0);
  registry_.set_intercept([&](const ServerRequest& request) -> std::optional<ServerResponse> {
    if (request.method != "GET" || request.path() != "/v2/cache/blobs/" + layer.digest.str()) return std::nullopt;
    return ServerResponse{.status = 200, .body = std::string(layer.size, 'x')};
  });
  FakeRegistry other;  // which can't mount the layers
  const auto second = build("two", {"--cache-from", cache(), "--push", "-t", other.name() + "/app:1"});
  EXPECT_EQ(digest(second), first);
  EXPECT_THAT(second.err, HasSubstr("it is made again"));
  EXPECT_EQ(cached_steps(second), 5U);  // three of the first attempt, two of the second
  EXPECT_FALSE(other.manifest("app", "1").empty());
}

TEST_F(CachesTest, WhatIsDamagedInADirectoryIsWrittenAgain) {
  const std::vector<std::string> both = {"--cache-to", "type=local,dest=kept", "--output", "type=oci,dest=out"};
  digest(build("one", both));
  for (const auto* layout : {"kept", "out"}) {
    damage_layers(layout);
    digest(build("one", both));
    for (const auto& blob : std::filesystem::directory_iterator(path(std::string(layout) + "/blobs/sha256"))) {
      EXPECT_EQ(Sha256::hex_of(read_file(blob.path())), blob.path().filename()) << layout;
    }
  }
}

TEST_F(CachesTest, RegistryThatRefusesIsAWarning) {
  registry_.set_intercept([](const ServerRequest&) { return ServerResponse{.status = 403}; });
  const auto result = build("one", {"--cache-from", cache()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("Warning: cache " + cache() + ": nothing is taken from it: "));
}

TEST_F(CachesTest, FailedExportFailsTheBuildUnlessItIsToldNotTo) {
  registry_.set_intercept([](const ServerRequest& request) -> std::optional<ServerResponse> {
    if (request.method == "POST") return ServerResponse{.status = 403};
    return std::nullopt;
  });
  const auto failed = build("one", {"--cache-to", cache()});
  EXPECT_EQ(failed.exit_code, 4) << failed.err;
  EXPECT_THAT(failed.err, AllOf(HasSubstr("export of the cache to " + cache()), HasSubstr("ignore-error=true")));
  const auto ignored = build("one", {"--cache-to", "type=registry,ignore-error=true,ref=" + cache()});
  EXPECT_EQ(ignored.exit_code, 0) << ignored.err;
  EXPECT_THAT(ignored.err, HasSubstr("Warning: the cache " + cache() + " was not written: "));
}

}  // namespace
}  // namespace tektii
