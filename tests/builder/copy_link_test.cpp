#include "builder/copy_fixture.hpp"

#include <gmock/gmock.h>

namespace tektii::builder {
namespace {

using ::testing::HasSubstr;

TEST_F(CopyTest, LinkedLayerDoesNotDependOnTheLayersBelow) {
  write("f", "x");
  write("base", "1");
  const std::string dockerfile = "FROM scratch\nCOPY base /base\nCOPY --link f /d/f\n";
  const auto first = build(dockerfile);
  write("base", "2");
  const auto second = build(dockerfile);
  EXPECT_EQ(outcome("[stage-0 1/2] COPY base /base"), StepOutcome::done);
  EXPECT_EQ(outcome("[stage-0 2/2] COPY --link f /d/f"), StepOutcome::cached);
  EXPECT_EQ(first.image.layers[1].diff_id, second.image.layers[1].diff_id);
  EXPECT_NE(first.image.layers[0].diff_id, second.image.layers[0].diff_id);
}

TEST_F(CopyTest, LinkDoesNotFollowLinksOfTheDestination) {
  write("tree/usr/bin/a", "a");
  std::filesystem::create_symlink("usr/bin", request_.context / "tree/bin");
  write("f", "x");
  const auto followed = build("FROM scratch\nCOPY tree /\nCOPY --link=false f /bin/f\n");
  EXPECT_EQ(at(followed, "usr/bin/f"), "f 644 0:0");
  const auto linked = build("FROM scratch\nCOPY tree /\nCOPY --link f /bin/f\n");
  EXPECT_EQ(at(linked, "usr/bin/f"), "-");
  EXPECT_EQ(at(linked, "bin/f"), "f 644 0:0");
}

TEST_F(CopyTest, ChmodMakesLinkAnOrdinaryCopy) {
  write("tree/usr/bin/a", "a");
  std::filesystem::create_symlink("usr/bin", request_.context / "tree/bin");
  write("f", "x");
  const auto result = build("FROM scratch\nCOPY tree /\nCOPY --link --chmod=700 f /bin/f\n");
  EXPECT_EQ(at(result, "usr/bin/f"), "f 700 0:0");
  EXPECT_EQ(at(result, "usr/bin"), "d 755 0:0");
}

TEST_F(CopyTest, LinkTakesOwnersByNumberOnly) {
  write("f", "x");
  EXPECT_EQ(at(build("FROM scratch\nCOPY --link --chown=5 f /d/f\n"), "d/f"), "f 644 5:5");
  for (const auto* owner : {"app", "5:staff", "app:5"}) {
    const auto error = build_error(fmt::format("FROM python:3.11\nCOPY --link --chown={} f /d/f\n", owner));
    EXPECT_THAT(error.what(), HasSubstr("can't be resolved when used with --link"));
    EXPECT_EQ(error.span()->first_line, 2);
  }
  EXPECT_TRUE(opened_.empty());
}

}  // namespace
}  // namespace tektii::builder
