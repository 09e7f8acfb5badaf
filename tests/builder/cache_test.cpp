#include "builder/build_fixture.hpp"
#include "builder/cache_document.hpp"
#include "builder/fake_cache.hpp"
#include <tektii/oci/media_type.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>

namespace tektii::builder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* k_two_stages =
    "FROM scratch AS make\nCOPY in /made\nFROM scratch\nCOPY b /b\nCOPY --from=make /made /out\nWORKDIR /w\n";

// Builds on machines that share nothing but a cache.
class CacheTest : public BuildTest {
 protected:
  // A machine with an empty store.
  struct Machine {
    explicit Machine(const std::filesystem::path& root) : store(root), snapshots(root / "layers" / "v1", store) {}
    store::Store store;
    layer::Snapshots snapshots;
  };

  CacheTest() {
    write("in", "input");
    write("b", "b");
  }

  BuildResult build_on(Machine& machine, const std::string& dockerfile) {
    request_.dockerfile_text = dockerfile;
    progress_.outcomes.clear();
    auto base = deps();
    BuildDeps all{machine.store,   machine.store, machine.snapshots, executor_,
                  base.open_image, progress_,     nullptr,           machine.store.root() / "mounts" / "v1"};
    all.caches = caches_;
    return build_image(request_, all, {});
  }

  std::unique_ptr<Machine> new_machine() {
    return std::make_unique<Machine>(directory_.path() / ("machine" + std::to_string(++machines_)));
  }

  bool save(const BuildResult& result, Machine& machine, bool all_stages) {
    return export_cache(all_stages ? result.all_steps : result.image_steps,
                        {*cache_, machine.store, result.ensure_blob}, {});
  }

  // Builds on a first machine, with the cache written there.
  BuildResult fill_cache(const std::string& dockerfile, bool all_stages = true) {
    first_ = new_machine();
    auto result = build_on(*first_, dockerfile);
    save(result, *first_, all_stages);
    caches_ = {{"the-cache", cache_}};
    return result;
  }

  // The steps that were not taken from a cache.
  std::vector<std::string> steps_run() const {
    std::vector<std::string> run;
    for (const auto& [title, outcome] : progress_.outcomes) {
      if (title.starts_with('[') && !title.starts_with("[internal]") && outcome != StepOutcome::cached) {
        run.push_back(title);
      }
    }
    return run;
  }

  std::shared_ptr<FakeCache> cache_ = std::make_shared<FakeCache>();
  std::vector<CacheSource> caches_;
  std::unique_ptr<Machine> first_;
  int machines_ = 0;
};

TEST_F(CacheTest, EveryStepComesFromTheCacheAndNoByteIsFetched) {
  const auto first = fill_cache(k_two_stages);
  EXPECT_EQ(cache_->puts, 5);  // four layers and the records
  const auto machine = new_machine();
  const auto second = build_on(*machine, k_two_stages);
  EXPECT_THAT(steps_run(), IsEmpty());
  EXPECT_EQ(second.image.manifest.digest, first.image.manifest.digest);
  EXPECT_EQ(cache_->fetches, 0);
  EXPECT_THAT(second.warnings, IsEmpty());
  EXPECT_EQ(progress_.outcomes.at("importing cache from the-cache"), StepOutcome::done);
}

TEST_F(CacheTest, BlobsAreFetchedWhenTheImageIsAskedFor) {
  const auto first = fill_cache(k_two_stages);
  const auto machine = new_machine();
  const auto second = build_on(*machine, k_two_stages);
  for (const auto& layer : second.image.layers) {
    second.ensure_blob(layer, {});
    EXPECT_EQ(machine->store.size_of(layer.blob.digest), layer.blob.size);
  }
  EXPECT_EQ(cache_->fetches, 3);
  // From now on they count locally.
  caches_.clear();
  EXPECT_EQ(build_on(*machine, k_two_stages).image.manifest.digest, first.image.manifest.digest);
  EXPECT_THAT(steps_run(), ElementsAre(HasSubstr("COPY in /made")));
}

TEST_F(CacheTest, ModeMinHasTheStepsOfTheImageAlone) {
  const auto first = fill_cache(k_two_stages, false);
  EXPECT_EQ(cache_->puts, 4);
  const auto machine = new_machine();
  const auto second = build_on(*machine, k_two_stages);
  EXPECT_THAT(steps_run(), ElementsAre(HasSubstr("COPY in /made")));
  EXPECT_EQ(second.image.manifest.digest, first.image.manifest.digest);
}

TEST_F(CacheTest, StageBelowTheTargetIsPartOfTheImage) {
  fill_cache("FROM scratch AS a\nCOPY in /a\nFROM a\nCOPY b /b\n", false);
  build_on(*new_machine(), "FROM scratch AS a\nCOPY in /a\nFROM a\nCOPY b /b\n");
  EXPECT_THAT(steps_run(), IsEmpty());
}

TEST_F(CacheTest, LayersOfTheBaseAreNotExported) {
  images_.add("base", {}, store_, {{"etc/base", "from the base"}});
  first_ = new_machine();
  const auto result = build_on(*first_, "FROM base\nENV A=b\n");
  EXPECT_THAT(layers_of(result.all_steps), IsEmpty());
  EXPECT_THAT(result.all_steps.steps, IsEmpty());
}

TEST_F(CacheTest, StepsOnABaseNeedNoneOfItsBytes) {
  images_.add("base", {}, store_, {{"etc/base", "from the base"}});
  const std::string dockerfile = "FROM base\nCOPY in /etc/in\n";
  const auto first = build(dockerfile);  // this store has the base
  export_cache(first.all_steps, {*cache_, store_, first.ensure_blob}, {});
  caches_ = {{"the-cache", cache_}};
  EXPECT_EQ(build_on(*new_machine(), dockerfile).image.manifest.digest, first.image.manifest.digest);
  EXPECT_THAT(steps_run(), IsEmpty());
}

TEST_F(CacheTest, StepThatChangedRunsOnTopOfWhatIsCached) {
  fill_cache(k_two_stages);
  write("b", "changed");
  const auto machine = new_machine();
  const auto second = build_on(*machine, k_two_stages);
  // The copy out of the other stage lies on b, and WORKDIR on that.
  EXPECT_THAT(steps_run(), SizeIs(3));
  const auto alone = new_machine();
  caches_.clear();
  EXPECT_EQ(second.image.manifest.digest, build_on(*alone, k_two_stages).image.manifest.digest);
}

TEST_F(CacheTest, UnchangedCacheCostsOneLook) {
  fill_cache(k_two_stages);
  const int puts = cache_->puts;
  const int looks = cache_->looks;
  const auto machine = new_machine();
  const auto second = build_on(*machine, k_two_stages);
  EXPECT_FALSE(save(second, *machine, true));
  EXPECT_EQ(cache_->puts, puts);
  EXPECT_EQ(cache_->looks, looks + 1);
  EXPECT_EQ(cache_->fetches, 0);
}

TEST_F(CacheTest, NoCacheReadsNoCache) {
  fill_cache(k_two_stages);
  request_.no_cache = true;
  build_on(*new_machine(), k_two_stages);
  EXPECT_THAT(steps_run(), SizeIs(4));
  EXPECT_FALSE(progress_.outcomes.contains("importing cache from the-cache"));
}

TEST_F(CacheTest, FirstCacheThatHasAStepCounts) {
  const auto first = fill_cache(k_two_stages);
  const auto empty = std::make_shared<FakeCache>();
  caches_.insert(caches_.begin(), {"nothing", empty});
  const auto second = build_on(*new_machine(), k_two_stages);
  EXPECT_THAT(steps_run(), IsEmpty());
  EXPECT_THAT(second.warnings, ElementsAre("cache nothing: there is none yet, so nothing comes from it"));
}

TEST_F(CacheTest, StepWhoseBlobIsGoneIsRun) {
  const auto first = fill_cache(k_two_stages);
  cache_->blobs.erase(first.image.layers[0].blob.digest);
  const auto machine = new_machine();
  const auto second = build_on(*machine, k_two_stages);
  EXPECT_THAT(steps_run(), ElementsAre(HasSubstr("COPY b /b")));
  EXPECT_EQ(second.image.manifest.digest, first.image.manifest.digest);
  for (const auto& layer : second.image.layers) second.ensure_blob(layer, {});
}

TEST_F(CacheTest, CacheThatBreaksIsAskedNoMore) {
  const auto first = fill_cache(k_two_stages);
  cache_->breaks_when_asked = true;
  request_.jobs = 1;
  const auto second = build_on(*new_machine(), k_two_stages);
  EXPECT_THAT(steps_run(), SizeIs(4));
  EXPECT_EQ(cache_->asked, 1);
  EXPECT_THAT(second.warnings, ElementsAre(HasSubstr("no more is taken from it: connection reset")));
  EXPECT_EQ(second.image.manifest.digest, first.image.manifest.digest);
}

TEST_F(CacheTest, LayerThatCanNotBeFetchedIsMadeAgain) {
  fill_cache("FROM scratch\nCOPY in /in\nCOPY b /b\n");
  cache_->breaks_when_fetched = true;
  // The last step is new, and needs the files below it.
  const std::string dockerfile = "FROM scratch\nCOPY in /in\nCOPY b /b\nWORKDIR /new\n";
  const auto machine = new_machine();
  const auto second = build_on(*machine, dockerfile);
  EXPECT_THAT(second.warnings, ::testing::Contains(HasSubstr("a layer that it offered can't be had: digest mismatch")));
  EXPECT_GT(cache_->fetches, 0);
  caches_.clear();
  EXPECT_EQ(second.image.manifest.digest, build_on(*new_machine(), dockerfile).image.manifest.digest);
  for (const auto& layer : second.image.layers) second.ensure_blob(layer, {});
}

TEST_F(CacheTest, FailureWhenTheImageIsAskedForSaysWhatToDo) {
  fill_cache(k_two_stages);
  const auto machine = new_machine();
  const auto second = build_on(*machine, k_two_stages);
  cache_->breaks_when_fetched = true;
  try {
    second.ensure_blob(second.image.layers[0], {});
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::damaged);
    EXPECT_THAT(error.what(), HasSubstr("cache the-cache: a layer that it offered can't be had: digest mismatch"));
    EXPECT_THAT(error.hints(), ElementsAre(HasSubstr("leave this --cache-from out")));
  }
}

TEST_F(CacheTest, LayerThatWasLostOnDeliveryIsMadeByTheNextBuild) {
  const auto first = fill_cache(k_two_stages);
  const auto machine = new_machine();
  const auto second = build_on(*machine, k_two_stages);
  cache_->breaks_when_fetched = true;
  EXPECT_THROW(second.ensure_blob(second.image.layers[0], {}), Error);
  const auto third = build_on(*machine, k_two_stages);
  EXPECT_THAT(steps_run(), ElementsAre(HasSubstr("COPY b /b")));
  EXPECT_EQ(third.image.manifest.digest, first.image.manifest.digest);
  third.ensure_blob(third.image.layers[0], {});
  // With the third one nothing is taken from it any more.
  EXPECT_THROW(third.ensure_blob(third.image.layers[1], {}), Error);
  EXPECT_THROW(third.ensure_blob(third.image.layers[2], {}), Error);
  build_on(*machine, k_two_stages);
  EXPECT_THAT(steps_run(), SizeIs(3));
}

TEST_F(CacheTest, FullDiskIsNotTheFaultOfTheCache) {
  class FullStore : public store::BlobStore {
   public:
    explicit FullStore(store::BlobStore& blobs) : blobs_(blobs) {}
    std::optional<std::uint64_t> size_of(const oci::Digest& digest) override { return blobs_.size_of(digest); }
    std::unique_ptr<ByteSource> open(const oci::Digest& digest) override { return blobs_.open(digest); }
    void discard(const oci::Digest& digest) override { blobs_.discard(digest); }
    std::unique_ptr<store::BlobWriter> create() override { return std::make_unique<FullWriter>(); }

   private:
    struct FullWriter : store::BlobWriter {
      void write(ByteSpan) override { throw_errno("write", ENOSPC); }
      store::BlobInfo commit(const std::optional<store::BlobInfo>&) override { return {oci::Digest::of_bytes(""), 0}; }
      BlobOpener reader() override { return {}; }
    };
    store::BlobStore& blobs_;
  };
  fill_cache(k_two_stages);
  const auto machine = new_machine();
  FullStore full(machine->store);
  auto base = deps();
  BuildDeps all{full, machine->store, machine->snapshots, executor_, base.open_image, progress_};
  all.caches = caches_;
  const auto result = build_image(request_, all, {});
  try {
    result.ensure_blob(result.image.layers[0], {});
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::failure) << error.what();
  }
  EXPECT_FALSE(caches_[0].lost->contains(result.image.layers[0].blob.digest));
}

struct Foreign {
  const char* name;
  void (*store)(FakeCache&);
  const char* warning;
};

class ForeignCache : public CacheTest, public ::testing::WithParamInterface<Foreign> {};

TEST_P(ForeignCache, IsAWarningThatNamesWhy) {
  caches_ = {{"the-cache", cache_}};
  GetParam().store(*cache_);
  const auto result = build_on(*new_machine(), k_two_stages);
  EXPECT_THAT(steps_run(), SizeIs(4));
  EXPECT_THAT(result.warnings, ElementsAre(HasSubstr(std::string("cache the-cache: ") + GetParam().warning)));
}

const std::string k_manifest(oci::k_media_manifest);

INSTANTIATE_TEST_SUITE_P(
    Table, ForeignCache,
    ::testing::Values(
        Foreign{"missing", [](FakeCache&) {}, "there is none yet"},
        Foreign{"unreachable", [](FakeCache& cache) { cache.unreachable = true; },
                "nothing is taken from it: cannot connect"},
        Foreign{
            "buildkit",
            [](FakeCache& cache) { cache.store_manifest(k_manifest, "application/vnd.buildkit.cacheconfig.v0", "{}"); },
            "nothing is taken from it: it is a cache of BuildKit"},
        Foreign{"buildkit_index",
                [](FakeCache& cache) {
                  cache.manifest_bytes = R"({"manifests":[{"mediaType":"application/vnd.buildkit.cacheconfig.v0"}]})";
                  cache.stored = {std::string(oci::k_media_index), oci::Digest::of_bytes("x"), 1};
                },
                "nothing is taken from it: it is a cache of BuildKit"},
        Foreign{"buildkit_inline",
                [](FakeCache& cache) {
                  cache.store_manifest(k_manifest, std::string(oci::k_media_config),
                                       R"({"moby.buildkit.cache.v0":""})");
                },
                "nothing is taken from it: it is a cache of BuildKit"},
        Foreign{
            "image",
            [](FakeCache& cache) { cache.store_manifest(k_manifest, std::string(oci::k_media_docker_config), "{}"); },
            "nothing is taken from it: it is an image without a cache"},
        Foreign{"platforms",
                [](FakeCache& cache) {
                  cache.manifest_bytes = R"({"manifests":[]})";
                  cache.stored = {std::string(oci::k_media_index), oci::Digest::of_bytes("x"), 1};
                },
                "nothing is taken from it: it is an image of other platforms"},
        Foreign{"other", [](FakeCache& cache) { cache.store_manifest(k_manifest, "application/vnd.cncf.helm", "{}"); },
                "nothing is taken from it: it is no cache, but \"application/vnd.cncf.helm\""},
        Foreign{"damaged",
                [](FakeCache& cache) { cache.store_manifest(k_manifest, std::string(k_media_cache), "[1, 2"); },
                "nothing is taken from it: it is damaged"}),
    [](const auto& row) { return row.param.name; });

TEST_F(CacheTest, LayersThatTheManifestDoesNotListAreNotTaken) {
  const auto first = fill_cache(k_two_stages);
  const auto config = seal_cache(first.all_steps).config_bytes;
  cache_->store_manifest(k_manifest, std::string(k_media_cache), config);
  const auto second = build_on(*new_machine(), k_two_stages);
  EXPECT_THAT(steps_run(), SizeIs(4));
  EXPECT_THAT(second.warnings, ElementsAre(HasSubstr("4 of its steps name layers that it does not have")));
}

TEST_F(CacheTest, ImageCarriesItsSteps) {
  const auto plain = build_on(*new_machine(), k_two_stages);
  request_.inline_cache = true;
  first_ = new_machine();
  const auto first = build_on(*first_, k_two_stages);
  EXPECT_NE(first.image.manifest.digest, plain.image.manifest.digest);
  EXPECT_EQ(first.image.manifest.digest, build_on(*new_machine(), k_two_stages).image.manifest.digest);
  EXPECT_EQ(first.image.layers.size(), plain.image.layers.size());

  for (const auto& layer : first.image.layers) {
    cache_->blobs[layer.blob.digest] = read_all(*first_->store.open(layer.blob.digest));
  }
  cache_->blobs[first.image.config.digest] = first.image.config_bytes;
  cache_->stored = first.image.manifest;
  cache_->manifest_bytes = first.image.manifest_bytes;
  caches_ = {{"app:1", cache_}};
  const auto second = build_on(*new_machine(), k_two_stages);
  EXPECT_THAT(steps_run(), ElementsAre(HasSubstr("COPY in /made")));
  EXPECT_EQ(second.image.manifest.digest, first.image.manifest.digest);
  EXPECT_THAT(second.warnings, IsEmpty());
}

TEST_F(CacheTest, CacheInABaseIsNotHandedDown) {
  oci::ImageConfig config;
  config.unknown[std::string(k_inline_cache)] = R"({"steps":{}})";
  images_.add("base", config, store_);
  EXPECT_THAT(build("FROM base\n").image.config_bytes, ::testing::Not(HasSubstr("tektii.cache")));
}

TEST_F(CacheTest, LayersOfACacheCanBeMountedFromThere) {
  fill_cache(k_two_stages);
  caches_[0].origin = oci::BlobOrigin{"127.0.0.1:5000", "cache"};
  const auto second = build_on(*new_machine(), k_two_stages);
  for (const auto& layer : second.image.layers) {
    ASSERT_TRUE(layer.origin);
    EXPECT_EQ(layer.origin->repository, "cache");
  }
}

class CachedRunTest : public CacheTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "unpacking layers with their owners needs root";
    executor_.command = [](const exec::Rootfs& rootfs, const exec::RunSpec&, exec::OutputSink&) {
      std::ofstream(rootfs.upper_dir / "made") << "by the command";
      return exec::ExitStatus{};
    };
  }
};

TEST_F(CachedRunTest, CommandsAndWhatTheyMountAreCached) {
  const std::string dockerfile =
      "FROM scratch AS make\nCOPY in /made\nFROM scratch\nCOPY b /b\nRUN --mount=type=bind,from=make,source=/made,"
      "target=/m x\nRUN nothing\n";
  const auto first = fill_cache(dockerfile);
  EXPECT_THAT(executor_.specs, SizeIs(2));
  const auto second = build_on(*new_machine(), dockerfile);
  EXPECT_THAT(executor_.specs, SizeIs(2));
  EXPECT_THAT(steps_run(), IsEmpty());
  EXPECT_EQ(cache_->fetches, 0);
  EXPECT_EQ(second.image.manifest.digest, first.image.manifest.digest);
}

TEST_F(CachedRunTest, CommandRunsOnLayersOfTheCache) {
  fill_cache("FROM scratch\nCOPY in /in\nRUN x\n");
  const auto machine = new_machine();
  build_on(*machine, "FROM scratch\nCOPY in /in\nRUN x\nRUN y\n");
  EXPECT_THAT(steps_run(), ElementsAre(HasSubstr("RUN y")));
  EXPECT_EQ(cache_->fetches, 2);
}

}  // namespace
}  // namespace tektii::builder
