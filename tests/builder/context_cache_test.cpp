#include "builder/copy_fixture.hpp"
#include <tektii/store/stat_cache.hpp>
#include <tektii/util/hash.hpp>

#include <gmock/gmock.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

namespace tektii::builder {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t k_far_future = std::int64_t{4'000'000'000} * 1'000'000'000;  // every file has settled by then
constexpr const char* k_step = "[stage-0 1/1] COPY . /app/";
constexpr const char* k_dockerfile = "FROM scratch\nCOPY . /app/\n";

class ContextCacheTest : public BuildTest {
 protected:
  BuildResult build_with(store::StatCache* cache, const std::string& dockerfile = k_dockerfile) {
    request_.dockerfile_text = dockerfile;
    auto with_cache = deps();
    with_cache.stat_cache = cache;
    return build_image(request_, with_cache, {});
  }
  store::StatCache open_cache() { return {directory_.path() / "stat", k_far_future}; }
  store::FileStamp stamp_of(const std::string& path) const {
    struct stat info {};
    EXPECT_EQ(::stat((request_.context / path).c_str(), &info), 0);
    const auto nanoseconds = [](const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; };
    return {info.st_dev, info.st_ino, static_cast<std::uint64_t>(info.st_size), nanoseconds(info.st_mtim),
            nanoseconds(info.st_ctim)};
  }
  StepOutcome outcome() const { return progress_.outcomes.at(k_step); }
};

TEST_F(ContextCacheTest, TheFirstCopyIsFoundAgainByContent) {
  write("a", "one");
  write("dir/b", std::string(3U << 20U, 'x'));
  const auto first = build_with(nullptr);
  EXPECT_EQ(outcome(), StepOutcome::done);
  // Other inodes and times, the same contents: a fresh checkout.
  std::filesystem::remove_all(request_.context);
  write("dir/b", std::string(3U << 20U, 'x'));
  write("a", "one");
  const auto second = build_with(nullptr);
  EXPECT_EQ(outcome(), StepOutcome::cached);
  EXPECT_EQ(second.image.manifest.digest, first.image.manifest.digest);
}

TEST_F(ContextCacheTest, AnotherContentOfTheSameSizeIsAnotherStep) {
  write("a", "one");
  const auto first = build_with(nullptr);
  write("a", "two");
  const auto second = build_with(nullptr);
  EXPECT_EQ(outcome(), StepOutcome::done);
  EXPECT_NE(second.image.layers[0].diff_id, first.image.layers[0].diff_id);
  write("a", "one");
  EXPECT_EQ(build_with(nullptr).image.manifest.digest, first.image.manifest.digest);
  EXPECT_EQ(outcome(), StepOutcome::cached);
}

TEST_F(ContextCacheTest, WhatIsReadForTheLayerIsRemembered) {
  write("a", "one");
  write("empty", "");
  auto cache = open_cache();
  build_with(&cache);
  EXPECT_EQ(cache.find(stamp_of("a"))->hash, Sha256().update("one").finish_bytes());
  EXPECT_EQ(cache.find(stamp_of("empty"))->hash, Sha256().finish_bytes());
}

TEST_F(ContextCacheTest, CapabilitiesArePartOfTheContent) {
  const std::string capability("\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  write("tool", "x", 0755);
  write("empty", "");
  auto cache = open_cache();
  const auto plain = build_with(&cache);
  for (const char* name : {"tool", "empty"}) {
    const auto file = request_.context / name;
    if (::setxattr(file.c_str(), "security.capability", capability.data(), capability.size(), 0) != 0) {
      GTEST_SKIP() << "file capabilities can't be set here";
    }
  }
  for (int look = 0; look < 3; ++look) {
    const auto capable = build_with(look == 2 ? nullptr : &cache);
    EXPECT_EQ(outcome(), look == 0 ? StepOutcome::done : StepOutcome::cached);
    EXPECT_NE(capable.image.manifest.digest, plain.image.manifest.digest);
    for (const char* path : {"app/tool", "app/empty"}) {
      EXPECT_EQ(tree_of(capable).find(path)->metadata.xattrs.at("security.capability"), capability) << path;
    }
  }
  EXPECT_TRUE(cache.find(stamp_of("tool"))->has_capability);
  // Known from the cache, and in a layer that is made anew all the same.
  const auto elsewhere = build_with(&cache, "FROM scratch\nCOPY . /elsewhere/\n");
  EXPECT_EQ(tree_of(elsewhere).find("elsewhere/tool")->metadata.xattrs.at("security.capability"), capability);
}

TEST_F(ContextCacheTest, AFileThatDidNotChangeIsNotRead) {
  write("a", "two");
  const auto two = build_with(nullptr);
  write("a", "one");
  build_with(nullptr);
  // The cache is believed: what it says of the file is taken for its content, so the file can't have been read.
  auto cache = open_cache();
  cache.remember(stamp_of("a"), {Sha256().update("two").finish_bytes()});
  EXPECT_EQ(build_with(&cache).image.manifest.digest, two.image.manifest.digest);
  EXPECT_EQ(outcome(), StepOutcome::cached);
}

TEST_F(ContextCacheTest, AWriteThatRestoresSizeAndTimeIsNoticed) {
  write("a", "one");
  auto cache = open_cache();
  const auto first = build_with(&cache);
  struct stat before {};
  ASSERT_EQ(::stat((request_.context / "a").c_str(), &before), 0);
  std::ofstream(request_.context / "a") << "two";
  const timespec times[2] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, (request_.context / "a").c_str(), times, 0), 0);
  EXPECT_NE(build_with(&cache).image.manifest.digest, first.image.manifest.digest);
}

TEST_F(ContextCacheTest, WithoutTheCacheTheStepIsMadeAndRemembered) {
  write("a", "one");
  const auto first = build_with(nullptr);
  request_.no_cache = true;
  EXPECT_EQ(build_with(nullptr).image.manifest.digest, first.image.manifest.digest);
  EXPECT_EQ(outcome(), StepOutcome::done);
  request_.no_cache = false;
  build_with(nullptr);
  EXPECT_EQ(outcome(), StepOutcome::cached);
}

// Both copies are alike but for what the files hold, and run side by side.
TEST_F(ContextCacheTest, TwoContextsOfOneShapeAreTwoSteps) {
  for (const auto& [name, content] : {std::pair("left", "one"), std::pair("right", "two")}) {
    const auto directory = directory_.path() / name;
    make_directories(directory);
    write_file_atomic(directory / "a", content);
    NamedContext context;
    context.directory = directory;
    request_.named_contexts[name] = context;
  }
  const auto result = build_with(nullptr,
                                 "FROM scratch AS l\nCOPY --from=left . /\nFROM scratch AS r\nCOPY --from=right . /\n"
                                 "FROM scratch\nCOPY --from=l /a /l\nCOPY --from=r /a /r\n");
  ASSERT_EQ(result.image.layers.size(), 2U);
  EXPECT_NE(result.image.layers[0].diff_id, result.image.layers[1].diff_id);
  const auto only_right = build_with(nullptr, "FROM scratch\nCOPY --from=right . /\n");
  const auto only_left = build_with(nullptr, "FROM scratch\nCOPY --from=left . /\n");
  EXPECT_NE(only_left.image.layers[0].diff_id, only_right.image.layers[0].diff_id);
}

// Between the key of a step and its layer.
TEST_F(ContextCacheTest, AnArchiveThatIsSwappedAfterItsKeyWasMadeIsNoticed) {
  constexpr const char* k_add = "FROM scratch\nADD a.tar /x/\n";
  write("a.tar", make_tar({{.name = "f", .body = "one"}}));
  build(k_add);
  write("a.tar", make_tar({{.name = "f", .body = "two"}}));
  progress_.on_activity = [this](Activity activity) {
    if (activity == Activity::prepare) write("a.tar", make_tar({{.name = "f", .body = "six"}}));
  };
  EXPECT_THAT(build_error(k_add).what(), HasSubstr("a.tar changed while it was being copied"));
}

TEST_F(ContextCacheTest, ADirectoryBaseThatChangesAfterItsKeyWasMadeIsNoticed) {
  const auto directory = directory_.path() / "base";
  make_directories(directory);
  write_file_atomic(directory / "f", "one");
  request_.named_contexts["base"].directory = directory;
  progress_.on_activity = [&](Activity activity) {
    if (activity == Activity::prepare) write_file_atomic(directory / "f", "two");
  };
  EXPECT_THAT(build_error("FROM base\n").what(), HasSubstr("f changed while it was being copied"));
}

}  // namespace
}  // namespace tektii::builder
