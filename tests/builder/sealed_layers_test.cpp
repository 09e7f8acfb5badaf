#include "builder/build_fixture.hpp"

#include <gmock/gmock.h>

namespace tektii::builder {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SealedLayersTest : public RunTest {
 protected:
  BuildResult build_told(const std::string& dockerfile) {
    told_.clear();
    request_.dockerfile_text = dockerfile;
    auto with_callback = deps();
    with_callback.layer_sealed = [this](const oci::Layer& layer, const EnsureBlob& ensure) {
      ensure(layer, {});
      told_.push_back(layer.diff_id);
    };
    return build_image(request_, with_callback, {});
  }
  static std::vector<oci::Digest> layers_of(const BuildResult& result) {
    std::vector<oci::Digest> layers;
    for (const auto& layer : result.image.layers) layers.push_back(layer.diff_id);
    return layers;
  }

  std::vector<oci::Digest> told_;
};

TEST_F(SealedLayersTest, EveryLayerOfTheImageIsToldOnceFromTheLowestOn) {
  images_.add("base", {}, store_, {{"etc/base", "base"}});
  write("a", "a");
  write("b", "b");
  write("c", "c");
  const auto result = build_told(
      "FROM base AS first\nCOPY a /a\nFROM scratch AS other\nCOPY c /c\nFROM first AS second\nCOPY b /b\n"
      "FROM second\nCOPY --from=other /c /copied\n");
  EXPECT_THAT(told_, ElementsAreArray(layers_of(result)));
  EXPECT_EQ(told_.size(), 4U);
}

TEST_F(SealedLayersTest, NothingIsToldWhenAllIsCached) {
  images_.add("base", {}, store_, {{"etc/base", "base"}});
  write("a", "a");
  const std::string dockerfile = "FROM base\nCOPY a /a\nENV X=1\n";
  build_told(dockerfile);
  EXPECT_EQ(told_.size(), 2U);
  build_told(dockerfile);
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(SealedLayersTest, AMissTellsOfTheCachedOnesBeforeItsCommandRuns) {
  images_.add("base", {}, store_, {{"etc/base", "base"}});
  write("a", "a");
  build_told("FROM base\nCOPY a /a\n");
  std::size_t told_when_run = 0;
  executor_.command = [&](const exec::Rootfs& rootfs, const exec::RunSpec&, exec::OutputSink&) {
    told_when_run = told_.size();
    write_file_atomic(rootfs.upper_dir / "made", "made");
    return exec::ExitStatus{};
  };
  const auto result = build_told("FROM base\nCOPY a /a\nRUN make\n");
  EXPECT_EQ(told_when_run, 2U);
  EXPECT_THAT(told_, ElementsAreArray(layers_of(result)));
}

TEST_F(SealedLayersTest, AMissOfAnotherStageSaysNothingOfTheImage) {
  write("a", "a");
  write("b", "1");
  build_told("FROM scratch AS other\nCOPY b /b\nFROM scratch\nCOPY a /a\nCOPY --from=other /x* /\n");
  write("b", "2");
  build_told("FROM scratch AS other\nCOPY b /b\nFROM scratch\nCOPY a /a\nCOPY --from=other /x* /\n");
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(SealedLayersTest, BytesOfAStepAreCounted) {
  write("a", std::string(5000, 'a'));
  build("FROM scratch\nCOPY a /a\n");
  ASSERT_THAT(progress_.titles, ::testing::Contains(HasSubstr("COPY a")));
  const std::string title = "[stage-0 1/1] COPY a /a";
  EXPECT_EQ((progress_.bytes[{title, Activity::read_files}]), 0U) << "it was read once, for the layer";
  EXPECT_GT((progress_.bytes[{title, Activity::write_layer}]), 0U);
  // A file like it was copied before, so that the step may be known.
  write("a", std::string(5000, 'b'));
  build("FROM scratch\nCOPY a /a\n");
  EXPECT_EQ((progress_.bytes[{title, Activity::read_files}]), 5000U);
  EXPECT_GT((progress_.bytes[{title, Activity::write_layer}]), 0U);
}

}  // namespace
}  // namespace tektii::builder
