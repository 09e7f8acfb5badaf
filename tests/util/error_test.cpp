#include <tektii/util/error.hpp>
#include <tektii/util/secret.hpp>

#include <gmock/gmock.h>

#include <cerrno>

namespace tektii {
namespace {

TEST(Error, ContextIsOutermostFirst) {
  Error error(ErrorKind::denied, "no permission");
  error.add_context("upload layer").add_context("push a:1").add_hint("log in");
  EXPECT_STREQ(error.what(), "push a:1: upload layer: no permission");
  EXPECT_EQ(error.kind(), ErrorKind::denied);
  EXPECT_THAT(error.context(), testing::ElementsAre("push a:1", "upload layer"));
  EXPECT_THAT(error.hints(), testing::ElementsAre("log in"));
  EXPECT_EQ(error.message(), "no permission");
}

TEST(Error, ErrnoNamesTheCause) {
  try {
    throw_errno("open /x", ENOENT);
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "open /x: No such file or directory");
    EXPECT_TRUE(error.hints().empty());
  }
}

TEST(Error, FullDiskHasAHint) {
  for (const int number : {ENOSPC, EDQUOT}) {
    try {
      throw_errno("write /x", number);
    } catch (const Error& error) {
      ASSERT_EQ(error.hints().size(), 1U);
      EXPECT_EQ(error.hints()[0], "free some space, or point TEKTII_CACHE_DIR (and TMPDIR) at another file system");
    }
  }
}

TEST(Error, StopBecomesInterrupted) {
  std::stop_source stop;
  EXPECT_NO_THROW(throw_if_stopped(stop.get_token()));
  stop.request_stop();
  EXPECT_THROW(throw_if_stopped(stop.get_token()), Error);
}

TEST(Secret, CopiesMovesAndWipes) {
  Secret first("short");
  Secret second(std::move(first));
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): the wiped state is the contract
  EXPECT_EQ(second.reveal(), "short");
  Secret third;
  third = second;
  EXPECT_EQ(third.reveal(), "short");
  second = Secret(std::string(100, 'k'));
  EXPECT_EQ(second.reveal(), std::string(100, 'k'));
  third = std::move(second);
  EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(third.reveal().size(), 100U);
}

}  // namespace
}  // namespace tektii
