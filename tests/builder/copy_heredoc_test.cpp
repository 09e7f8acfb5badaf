#include "builder/copy_fixture.hpp"

#include <gmock/gmock.h>

namespace tektii::builder {
namespace {

using ::testing::HasSubstr;

TEST_F(CopyTest, HeredocIsAFileNamedByItsWord) {
  const auto result = build("FROM scratch\nCOPY <<app.conf <<other /etc/\none\napp.conf\ntwo\nother\n");
  EXPECT_EQ(at(result, "etc/app.conf"), "f 644 0:0");
  EXPECT_EQ(text_of(result, "etc/app.conf"), "one\n");
  EXPECT_EQ(text_of(result, "etc/other"), "two\n");
  EXPECT_EQ(result.config.history.back().created_by, "COPY <<app.conf <<other /etc/ # buildkit");
}

TEST_F(CopyTest, HeredocIsExpandedUnlessQuoted) {
  const auto result =
      build("FROM scratch\nENV NAME=world\nCOPY <<a <<'b' /\nhello \"$NAME\" \\$NAME ${NO:-none}\na\nhello $NAME\nb\n");
  EXPECT_EQ(text_of(result, "a"), "hello \"world\" $NAME none\n");
  EXPECT_EQ(text_of(result, "b"), "hello $NAME\n");
}

TEST_F(CopyTest, HeredocTakesOwnerAndModeAndMixesWithFiles) {
  write("f", "x");
  const auto result = build("FROM scratch\nCOPY --chown=5:6 --chmod=755 f <<-run.sh /bin/\n\t#!/bin/sh\n\trun.sh\n");
  EXPECT_EQ(at(result, "bin/run.sh"), "f 755 5:6");
  EXPECT_EQ(at(result, "bin/f"), "f 755 5:6");
  EXPECT_EQ(text_of(result, "bin/run.sh"), "#!/bin/sh\n");
}

TEST_F(CopyTest, HeredocMayBeRenamedButNotTogetherWithAnother) {
  EXPECT_EQ(text_of(build("FROM scratch\nADD <<EOF /etc/motd\nhi\nEOF\n"), "etc/motd"), "hi\n");
  write("f", "x");
  EXPECT_THAT(build_error("FROM scratch\nCOPY f <<EOF /etc/motd\nhi\nEOF\n").what(),
              HasSubstr("several files are copied to /etc/motd"));
}

TEST_F(CopyTest, TextOfAHeredocIsPartOfTheKey) {
  build("FROM scratch\nCOPY <<EOF /f\none\nEOF\n");
  const auto result = build("FROM scratch\nCOPY <<EOF /f\ntwo\nEOF\n");
  EXPECT_EQ(text_of(result, "f"), "two\n");
}

TEST_F(CopyTest, WordOfAHeredocMustBeAName) {
  const auto error = build_error("FROM python:3.11\nCOPY <<../EOF /\nhi\n../EOF\n");
  EXPECT_THAT(error.what(), HasSubstr("can't be the name of a file"));
  EXPECT_EQ(error.span()->first_line, 2);
}

}  // namespace
}  // namespace tektii::builder
