// What is wrong with a Dockerfile, and where.
#include <tektii/dockerfile/instruction.hpp>
#include <tektii/util/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::dockerfile {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::StartsWith;

struct Row {
  std::string text;
  int line;
  int column;         // 0: the whole line
  std::string under;  // the text under the caret
  std::string message;
};

void PrintTo(const Row& row, std::ostream* out) {
  *out << row.message;
}

std::string on_stage(const std::string& instruction) {
  return "FROM a\n" + instruction + "\n";
}

class Problem : public ::testing::TestWithParam<Row> {};

TEST_P(Problem, IsReportedWhereItIs) {
  const Row& row = GetParam();
  try {
    parse_dockerfile(row.text, "Dockerfile");
    FAIL() << "accepted:\n" << row.text;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_EQ(error.message(), row.message);
    EXPECT_THAT(error.hints(), Each(Not(StartsWith("also: "))));  // nothing else is wrong
    ASSERT_TRUE(error.span().has_value());
    const SourceSpan& span = *error.span();
    EXPECT_EQ(span.file, "Dockerfile");
    EXPECT_EQ(span.first_line, row.line);
    EXPECT_EQ(span.column, row.column);
    if (row.column == 0) return;
    EXPECT_EQ(span.text.substr(static_cast<std::size_t>(span.column) - 1, static_cast<std::size_t>(span.length)),
              row.under);
  }
}

const std::string k_two_arguments =
    " requires at least two arguments, but only one was provided. Destination could not be determined";

INSTANTIATE_TEST_SUITE_P(
    File, Problem,
    ::testing::Values(Row{"", 0, 0, "", "file with no instructions"},
                      Row{"# only a comment\n\n", 0, 0, "", "file with no instructions"},
                      Row{"ARG A=1\n", 0, 0, "", "dockerfile contains no stages to build"},
                      Row{"RUN true\nFROM a\n", 1, 1, "RUN", "no build stage in current context"},
                      Row{"FORM a\nRUN true\nCOPY a b\n", 1, 1, "FORM",
                          "unknown instruction: FORM (did you mean FROM?)"},
                      Row{on_stage("rnu true"), 2, 1, "rnu", "unknown instruction: rnu (did you mean RUN?)"},
                      Row{on_stage("  BANANA split"), 2, 3, "BANANA", "unknown instruction: BANANA"},
                      Row{on_stage("RUN <<EOF\necho hi"), 2, 5, "<<", "unterminated heredoc"},
                      Row{on_stage("COPY <<A <<B /d\nx\nA\ny"), 2, 6, "<<", "unterminated heredoc"},
                      Row{"# escape=x\nFROM a\n", 1, 10, "x", "invalid escape token 'x' does not match ` or \\"},
                      Row{"# syntax=a\n# SYNTAX=b\nFROM a\n", 2, 0, "", "only one syntax parser directive can be used"},
                      Row{on_stage("RUN echo " + std::string(65536, 'x')), 2, 0, "",
                          "dockerfile line greater than max allowed size of 65535"}));

INSTANTIATE_TEST_SUITE_P(
    From, Problem,
    ::testing::Values(Row{"FROM\n", 1, 1, "FROM", "FROM requires either one or three arguments"},
                      Row{"FROM a b\n", 1, 8, "b", "FROM requires either one or three arguments"},
                      Row{"FROM a is b\n", 1, 8, "is", "FROM requires either one or three arguments"},
                      Row{"FROM a AS b c\n", 1, 13, "c", "FROM requires either one or three arguments"},
                      Row{"FROM a AS 1st\n", 1, 11, "1st",
                          "invalid name for build stage: \"1st\", name can't start with a number or contain symbols"},
                      Row{"FROM a AS b/c\n", 1, 11, "b/c",
                          "invalid name for build stage: \"b/c\", name can't start with a number or contain symbols"},
                      Row{"FROM --platfrom=linux/amd64 a\n", 1, 6, "--platfrom",
                          "unknown flag: --platfrom (did you mean --platform?)"},
                      Row{"FROM --platform a\n", 1, 6, "--platform", "missing a value on flag: platform"},
                      Row{"FROM --after=x a\n", 1, 6, "--after", "unknown flag: --after"},
                      Row{"FROM --platform=a --platform=b c\n", 1, 19, "--platform=b",
                          "duplicate flag specified: platform"}));

INSTANTIATE_TEST_SUITE_P(
    Copy, Problem,
    ::testing::Values(
        Row{on_stage("COPY"), 2, 1, "COPY", "COPY" + k_two_arguments},
        Row{on_stage("COPY a"), 2, 6, "a", "COPY" + k_two_arguments},
        Row{on_stage("ADD [\"a\"]"), 2, 7, "a", "ADD" + k_two_arguments},
        Row{on_stage("COPY --frm=x a b"), 2, 6, "--frm", "unknown flag: --frm (did you mean --from?)"},
        Row{on_stage("ADD --from=x a b"), 2, 5, "--from", "unknown flag: --from"},
        Row{on_stage("COPY --checksum=sha256:0 a b"), 2, 6, "--checksum", "unknown flag: --checksum"},
        Row{on_stage("COPY --link=yes a b"), 2, 6, "--link=yes", "expecting boolean value for flag link, not: yes"},
        Row{on_stage("COPY --link= a b"), 2, 6, "--link=", "missing a value on flag: link"},
        Row{on_stage("COPY --link --link a b"), 2, 6, "--link", "duplicate flag specified: link"},
        Row{on_stage("COPY \\\n  --chown=1 \\\n  --chown=2 a b"), 4, 3, "--chown=2", "duplicate flag specified: chown"},
        Row{on_stage("COPY --from=$base a b"), 2, 13, "$base",
            "'--from' doesn't support variable expansion, define alias stage instead"},
        Row{on_stage("COPY --chmod=999 a b"), 2, 14, "999",
            "invalid chmod parameter: '999'. it should be octal between 0 and 07777, or symbolic like u=rwX,go=rX"},
        Row{on_stage("ADD --checksum=sha256:0 a b c"), 2, 16, "sha256:0",
            "checksum can't be specified for multiple sources"},
        Row{on_stage("COPY a <<EOF\nx\nEOF"), 2, 8, "<<EOF", "COPY cannot accept a heredoc as a destination"},
        Row{on_stage("COPY [\"a\", 1]"), 2, 12, "1",
            "when using JSON array syntax, arrays must be comprised of strings only"}));

INSTANTIATE_TEST_SUITE_P(
    Commands, Problem,
    ::testing::Values(
        Row{on_stage("RUN"), 2, 1, "RUN", "RUN requires at least one argument"},
        Row{on_stage("RUN []"), 2, 1, "RUN", "RUN requires at least one argument"},
        Row{on_stage("RUN [\"a\", null]"), 2, 11, "null",
            "when using JSON array syntax, arrays must be comprised of strings only"},
        Row{on_stage("CMD [[\"a\"]]"), 2, 6, "[\"a\"]",
            "when using JSON array syntax, arrays must be comprised of strings only"},
        Row{on_stage("CMD --foo x"), 2, 5, "--foo", "unknown flag: --foo"},
        Row{on_stage("RUN --mount=type=cahce,target=/x true"), 2, 13, "type=cahce,target=/x",
            "unsupported mount type \"cahce\" (did you mean cache?)"},
        Row{on_stage("RUN --mount=target=/x,bogus=1 true"), 2, 13, "target=/x,bogus=1",
            "unexpected key 'bogus' in 'bogus=1'"},
        Row{on_stage("RUN --mount true"), 2, 5, "--mount", "missing a value on flag: mount"},
        Row{on_stage("RUN --network=hots true"), 2, 15, "hots",
            "unsupported network mode \"hots\" (did you mean host?)"},
        Row{on_stage("RUN --security=none true"), 2, 16, "none",
            "unsupported security mode \"none\" (it may be sandbox or insecure)"},
        Row{on_stage("RUN --device=gpu true"), 2, 5, "--device", "unknown flag: --device"},
        Row{on_stage("SHELL"), 2, 1, "SHELL", "SHELL requires at least one argument"},
        Row{on_stage("SHELL []"), 2, 1, "SHELL", "SHELL requires at least one argument"},
        Row{on_stage("SHELL /bin/bash -c"), 2, 7, "/bin/bash -c", "SHELL requires the arguments to be in JSON form"},
        Row{on_stage("HEALTHCHECK"), 2, 1, "HEALTHCHECK", "HEALTHCHECK requires at least one argument"},
        Row{on_stage("HEALTHCHECK FOO x"), 2, 13, "FOO", "unknown type \"FOO\" in HEALTHCHECK (try CMD)"},
        Row{on_stage("HEALTHCHECK NONE x"), 2, 18, "x", "HEALTHCHECK NONE takes no arguments"},
        Row{on_stage("HEALTHCHECK CMD"), 2, 13, "CMD", "missing command after HEALTHCHECK CMD"},
        Row{on_stage("HEALTHCHECK CMD []"), 2, 13, "CMD", "missing command after HEALTHCHECK CMD"},
        Row{on_stage("HEALTHCHECK --interval=5 CMD x"), 2, 24, "5", "missing unit in duration \"5\""},
        Row{on_stage("HEALTHCHECK --timeout=1us CMD x"), 2, 23, "1us", "interval \"timeout\" cannot be less than 1ms"},
        Row{on_stage("HEALTHCHECK --retries=many CMD x"), 2, 23, "many",
            "invalid value \"many\" for --retries: it must be a number"},
        Row{on_stage("HEALTHCHECK --retries=-1 CMD x"), 2, 23, "-1", "--retries cannot be negative (-1)"},
        Row{on_stage("HEALTHCHECK --retires=1 CMD x"), 2, 13, "--retires",
            "unknown flag: --retires (did you mean --retries?)"},
        Row{on_stage("ONBUILD"), 2, 1, "ONBUILD", "ONBUILD requires at least one argument"},
        Row{on_stage("ONBUILD ONBUILD RUN x"), 2, 9, "ONBUILD RUN x",
            "chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"},
        Row{on_stage("ONBUILD from a"), 2, 9, "from", "FROM isn't allowed as an ONBUILD trigger"},
        Row{on_stage("ONBUILD COPY a"), 2, 14, "a", "COPY" + k_two_arguments},
        Row{on_stage("ONBUILD RNU a"), 2, 9, "RNU", "unknown instruction: RNU (did you mean RUN?)"}));

INSTANTIATE_TEST_SUITE_P(
    Metadata, Problem,
    ::testing::Values(Row{on_stage("ENV"), 2, 1, "ENV", "ENV requires at least one argument"},
                      Row{on_stage("ENV A"), 2, 5, "A", "ENV must have two arguments"},
                      Row{on_stage("ENV A=1 B"), 2, 9, "B",
                          "syntax error: can't find = in \"B\". must be of the form: name=value"},
                      Row{on_stage("ENV =1"), 2, 5, "=1", "ENV names can not be blank"},
                      Row{on_stage("ENV --foo=1 A=1"), 2, 5, "--foo", "unknown flag: --foo"},
                      Row{on_stage("LABEL A"), 2, 7, "A", "LABEL must have two arguments"},
                      Row{on_stage("LABEL a=1 =2"), 2, 11, "=2", "LABEL names can not be blank"},
                      Row{on_stage("ARG"), 2, 1, "ARG", "ARG requires at least one argument"},
                      Row{on_stage("ARG a =b"), 2, 7, "=b", "ARG names can not be blank"},
                      Row{on_stage("EXPOSE"), 2, 1, "EXPOSE", "EXPOSE requires at least one argument"},
                      Row{on_stage("USER"), 2, 1, "USER", "USER requires exactly one argument"},
                      Row{on_stage("WORKDIR   "), 2, 1, "WORKDIR", "WORKDIR requires exactly one argument"},
                      Row{on_stage("STOPSIGNAL"), 2, 1, "STOPSIGNAL", "STOPSIGNAL requires exactly one argument"},
                      Row{on_stage("MAINTAINER"), 2, 1, "MAINTAINER", "MAINTAINER requires exactly one argument"},
                      Row{on_stage("VOLUME"), 2, 1, "VOLUME", "VOLUME requires at least one argument"},
                      Row{on_stage("VOLUME [\"\"]"), 2, 1, "VOLUME", "VOLUME specified can not be an empty string"},
                      Row{on_stage("VOLUME [1]"), 2, 9, "1",
                          "when using JSON array syntax, arrays must be comprised of strings only"},
                      Row{"FROM a\r\nENV A\r\n", 2, 5, "A", "ENV must have two arguments"},
                      Row{"\xEF\xBB\xBF"
                          "FROM\n",
                          1, 1, "FROM", "FROM requires either one or three arguments"}));

TEST(Problems, AreAllReportedAtOnce) {
  try {
    parse_dockerfile("FROM a\nRNU x\nCOPY a\nRUN ok\nENV\nRUN <<EOF\n", "sub/Dockerfile");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "unknown instruction: RNU (did you mean RUN?)");
    EXPECT_EQ(error.span()->first_line, 2);
    EXPECT_THAT(error.hints(), ElementsAre("also: sub/Dockerfile:3: COPY" + k_two_arguments,
                                           "also: sub/Dockerfile:5: ENV requires at least one argument",
                                           "also: sub/Dockerfile:6: unterminated heredoc"));
  }
}

TEST(Problems, OfAFileThatIsNoneAreNotAllShown) {
  std::string text = "FROM a\n";
  for (int i = 0; i < 500; ++i) text += "NOPE\n";
  try {
    parse_dockerfile(text, "Dockerfile");
    FAIL();
  } catch (const Error& error) {
    ASSERT_EQ(error.hints().size(), 21U);
    EXPECT_EQ(error.hints().back(), "and 479 more");
  }
}

TEST(Problems, AMissingStageIsReportedOnce) {
  try {
    parse_dockerfile("RUN a\nRUN b\nENV\n", "Dockerfile");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "no build stage in current context");
    EXPECT_THAT(error.hints(), ElementsAre("also: Dockerfile:3: ENV requires at least one argument"));
  }
}

TEST(Span, PrefersWholeWords) {
  const Dockerfile file = parse_dockerfile("FROM a\nRUN cat concatenate at\nRUN \\\n  b\n", "D");
  EXPECT_EQ(file.span({2, 2}, "at").column, 21);
  EXPECT_EQ(file.span({2, 2}, "caten").column, 12);
  const SourceSpan second_line = file.span({3, 4}, "b");
  EXPECT_EQ(second_line.first_line, 4);
  EXPECT_EQ(second_line.column, 3);
  EXPECT_EQ(second_line.text, "  b");
  const SourceSpan whole = file.span({3, 4}, "nowhere");
  EXPECT_EQ(whole.first_line, 3);
  EXPECT_EQ(whole.last_line, 4);
  EXPECT_EQ(whole.column, 0);
  EXPECT_EQ(whole.text, "RUN \\");
  EXPECT_EQ(file.span({99, 99}, "a").text, "");
}

}  // namespace
}  // namespace tektii::dockerfile
