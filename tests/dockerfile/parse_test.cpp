#include "dockerfile/dump.hpp"
#include <tektii/dockerfile/instruction.hpp>
#include <tektii/dockerfile/values.hpp>
#include <tektii/util/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

namespace tektii::dockerfile {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using RunBody = Run;  // a test class has a member Run

// The one instruction behind FROM.
Instruction parse_one(const std::string& text) {
  const Dockerfile file = parse_dockerfile("FROM a\n" + text, "Dockerfile");
  EXPECT_THAT(file.stages, SizeIs(1));
  EXPECT_THAT(file.stages.front().instructions, SizeIs(1)) << text;
  return file.stages.front().instructions.front();
}

template <typename Body>
Body parse_as(const std::string& text) {
  return std::get<Body>(parse_one(text).body);
}

struct JoinRow {
  std::string text;
  std::string original;
};

TEST(Lines, AreJoined) {
  const std::vector<JoinRow> rows = {
      {"RUN a \\\n b", "RUN a  b"},
      {"RUN a \\  \t\n b", "RUN a  b"},
      {"RUN a\\\nb", "RUN ab"},
      {"RUN a \\\n# comment\n   # another\n b", "RUN a  b"},
      {"RUN a \\\n\n\t\n b", "RUN a  b"},
      {"RUN a \\\r\n b\r\n", "RUN a  b"},
      {"RUN a \\\\\n", "RUN a \\\\"},
      {"RUN a \\", "RUN a "},
      {"RUN a # not a comment", "RUN a # not a comment"},
      {"RUN a \\\n  b # \\\n c", "RUN a   b #  c"},
      {"\\\nRUN a", "RUN a"},
      {"  \tRUN a", "RUN a"},
      {"RUN \\\n\\\na", "RUN a"},
      {"run a", "run a"},
      {"RUN a \\\n#c \\\nb", "RUN a b"},
  };
  for (const JoinRow& row : rows) EXPECT_EQ(parse_one(row.text).original, row.original) << row.text;
}

TEST(Lines, RememberWhereTheyCameFrom) {
  const Dockerfile file =
      parse_dockerfile("\n# about\n#  the base\nFROM a\n# gone\n#\nRUN x \\\n\n  y\nENV A=1\n", "Dockerfile");
  const Instruction& from = file.stages.front().from;
  EXPECT_EQ(from.lines.first, 4);
  EXPECT_THAT(from.comments, ElementsAre("about", "the base"));
  const Instruction& run = file.stages.front().instructions.at(0);
  EXPECT_EQ(run.lines.first, 7);
  EXPECT_EQ(run.lines.last, 9);
  EXPECT_THAT(run.comments, IsEmpty());
  EXPECT_THAT(run.empty_continuations, ElementsAre(8));
  EXPECT_EQ(file.stages.front().instructions.at(1).lines.first, 10);
}

TEST(Lines, OfTheGreatestLengthAreFine) {
  const std::string command(65535 - 4, 'x');
  EXPECT_EQ(parse_as<RunBody>("RUN " + command + "\n").command.words.front(), command);
}

TEST(Directives, StandAtTheHead) {
  const Dockerfile file = parse_dockerfile(
      "# syntax=docker/dockerfile:1\n#Escape = `\n# check=skip=A,B;error=true\nFROM a\nRUN a `\n b\\\n", "Dockerfile");
  EXPECT_EQ(file.directives.syntax, "docker/dockerfile:1");
  EXPECT_EQ(file.directives.check, "skip=A,B;error=true");
  EXPECT_EQ(file.directives.escape, '`');
  EXPECT_THAT(file.stages.front().from.comments, IsEmpty());
  EXPECT_EQ(file.stages.front().instructions.front().original, "RUN a  b\\");
}

TEST(Directives, EndAtAnythingElse) {
  for (const char* head : {"# a comment\n", "\n", "#\n", "# unknown=1\n", "ARG A\n"}) {
    const Dockerfile file = parse_dockerfile(std::string(head) + "# escape=`\nFROM a\n", "Dockerfile");
    EXPECT_EQ(file.directives.escape, '\\') << head;
  }
  const Dockerfile shebang = parse_dockerfile("#!/usr/bin/env x\n# syntax=s\n# escape=`\nFROM a\n", "Dockerfile");
  EXPECT_EQ(shebang.directives.syntax, "s");
  EXPECT_EQ(shebang.directives.escape, '\\');
}

struct HeredocRow {
  std::string text;
  std::vector<Heredoc> expected;
};

TEST(Heredocs, OfRun) {
  const std::vector<HeredocRow> rows = {
      {"RUN <<EMPTY\nEMPTY\n", {{"EMPTY", "", true, false}}},
      {"RUN 3<<FD\nx\nFD", {{"FD", "x\n", true, false}}},
      {"RUN \"<<NOHEREDOC\"", {}},
      {"RUN a<<NOHEREDOC", {}},
      {"RUN a <<<NOHEREDOC", {}},
      {"RUN echo it's <<NOHEREDOC", {}},
      {"RUN echo $((1<<2))", {}},
      {"RUN [\"<<NOHEREDOC\"]", {}},
      {"USER <<NOHEREDOC", {}},
      {"RUN <<INDENT\n\tfoo\nINDENT", {{"INDENT", "\tfoo\n", true, false}}},
      {"RUN <<-UNINDENT\n\t\tfoo\n\tbar\n\tUNINDENT", {{"UNINDENT", "foo\nbar\n", true, true}}},
      {"RUN <<-'VERBATIM'\n\tdon't $X\nVERBATIM", {{"VERBATIM", "don't $X\n", false, true}}},
      {"RUN <<COMMENT\n# inside \\\n\n  end\nCOMMENT", {{"COMMENT", "# inside \\\n\n  end\n", true, false}}},
      {"RUN <<COMPLEX python3\nprint()\nCOMPLEX", {{"COMPLEX", "print()\n", true, false}}},
      {"RUN cat <<A - <<B > /x\n1\nA\n2\nB", {{"A", "1\n", true, false}, {"B", "2\n", true, false}}},
      {"RUN <<X <<Y\nY\nX\nX\nY\n", {{"X", "Y\n", true, false}, {"Y", "X\n", true, false}}},
      {"RUN <<eo'f'\nx\neof", {{"eof", "x\n", false, false}}},
      {"RUN <<eo\\'f\nx\neo'f", {{"eo'f", "x\n", true, false}}},
      {"RUN <<'e'o\\'f\nx\neo'f", {{"eo'f", "x\n", false, false}}},
      {"RUN <<'one two'\nx\none two", {{"one two", "x\n", false, false}}},
      {"RUN <<$EOF\n$EOF", {{"$EOF", "", true, false}}},
      {"RUN <<  EOF  > foo\nEOF", {{"EOF", "", true, false}}},
      {"RUN << -EOF\n-EOF", {{"-EOF", "", true, false}}},
      {"RUN <<EOF\r\na\r\nEOF\r\n", {{"EOF", "a\r\n", true, false}}},
      {"RUN a && \\\n  cat <<EOF\nb\nEOF", {{"EOF", "b\n", true, false}}},
      {"RUN --mount=type=cache,target=/foo <<M\necho\nM", {{"M", "echo\n", true, false}}},
  };
  for (const HeredocRow& row : rows) {
    const Instruction instruction = parse_one(row.text);
    const auto* run = std::get_if<RunBody>(&instruction.body);
    const std::vector<Heredoc> actual = run != nullptr ? run->command.heredocs : std::vector<Heredoc>();
    ASSERT_EQ(actual.size(), row.expected.size()) << row.text;
    for (std::size_t i = 0; i < actual.size(); ++i) {
      EXPECT_EQ(actual[i].name, row.expected[i].name) << row.text;
      EXPECT_EQ(actual[i].content, row.expected[i].content) << row.text;
      EXPECT_EQ(actual[i].expand, row.expected[i].expand) << row.text;
      EXPECT_EQ(actual[i].strip_tabs, row.expected[i].strip_tabs) << row.text;
    }
  }
}

TEST(Heredocs, TheFileGoesOnBehindThem) {
  const Dockerfile file = parse_dockerfile("FROM a\nRUN <<EOF\nFROM b\nEOF\nENV A=1\n", "Dockerfile");
  ASSERT_THAT(file.stages.front().instructions, SizeIs(2));
  EXPECT_EQ(file.stages.front().instructions[0].lines.last, 4);
  EXPECT_EQ(file.stages.front().instructions[1].lines.first, 5);
}

TEST(Heredocs, OfCopyAreSources) {
  const auto copy = parse_as<Copy>("COPY a <<one.txt b <<'two words' /d/\n1\none.txt\n2\ntwo words\n");
  EXPECT_THAT(copy.sources, ElementsAre("a", "b"));
  ASSERT_THAT(copy.heredocs, SizeIs(2));
  EXPECT_EQ(copy.heredocs[1].name, "two words");
  EXPECT_EQ(copy.heredocs[1].content, "2\n");
  EXPECT_EQ(copy.destination, "/d/");
  const auto spaced = parse_as<Copy>("COPY << EOF /d\nx\nEOF\n");
  EXPECT_THAT(spaced.sources, IsEmpty());
  EXPECT_EQ(spaced.heredocs.at(0).name, "EOF");
  const auto json = parse_as<Copy>("COPY [\"<<EOF\", \"/d\"]");
  EXPECT_THAT(json.sources, ElementsAre("<<EOF"));
}

TEST(ShellScript, PutsHeredocsTogether) {
  const auto script = [](const std::string& text) { return shell_script(parse_as<RunBody>(text).command); };
  EXPECT_EQ(script("RUN echo hi").command, "echo hi");
  EXPECT_EQ(script("RUN <<EOF\necho hi\nEOF").command, "echo hi\n");
  const ShellScript file = script("RUN <<run.py\n#!/usr/bin/python3\nprint()\nrun.py");
  EXPECT_EQ(file.command, "/dev/pipes/run.py");
  ASSERT_TRUE(file.file.has_value());
  EXPECT_EQ(file.file->content, "#!/usr/bin/python3\nprint()\n");
  EXPECT_EQ(script("RUN cat <<A <<'B'\n1\nA\n$2\nB").command, "cat <<A <<'B'\n1\nA\n$2\nB");
  EXPECT_EQ(script("RUN python3 <<EOF\nprint()\nEOF").command, "python3 <<EOF\nprint()\nEOF");
  EXPECT_EQ(script("RUN <<-EOF\n\techo\n\tEOF").command, "echo\n");
  EXPECT_EQ(script("RUN cat <<-EOF\n\techo\n\tEOF").command, "cat <<-EOF\n\techo\nEOF");  // the shell strips them
}

struct BodyRow {
  std::string text;
  std::string dump;
};

TEST(Instructions, HaveTypes) {
  const std::vector<BodyRow> rows = {
      {"RUN [ -f x ] && y", R"(RUN shell ["[ -f x ] && y"])"},
      {"RUN [\"a\", \"b\\u0041\"]", R"(RUN exec ["a" "bA"])"},
      {"RUN ['a']", R"(RUN shell ["['a']"])"},
      {"RUN [\"a\"] x", R"(RUN shell ["[\"a\"] x"])"},
      {"RUN [\"a\",]", R"(RUN shell ["[\"a\",]"])"},
      {"RUN -- --x", R"(RUN shell ["--x"])"},
      {"RUN --network=none --security=sandbox x", R"(RUN network="none" security="sandbox" shell ["x"])"},
      {"RUN --mount=type=ssh --mount=type=bind,source=a,target=/b make",
       R"(RUN mount=ssh( ) mount=bind( source="a" target="/b" ) shell ["make"])"},
      {"RUN --mount=\"type=secret,id=a b\" x", R"(RUN mount=secret( id="a b" ) shell ["x"])"},
      {"CMD", R"(CMD shell [""])"},
      {"CMD []", "CMD exec []"},
      {"CMD echo \"hi\"", R"(CMD shell ["echo \"hi\""])"},
      {"ENTRYPOINT [\"/bin/x\"]", R"(ENTRYPOINT exec ["/bin/x"])"},
      {"SHELL [\"/bin/bash\", \"-c\"]", R"(SHELL words=["/bin/bash" "-c"])"},
      {"ENV A=1 B=\"two words\" C=three\\ words D='x y'",
       R"(ENV "A"="1" "B"="\"two words\"" "C"="three\\ words" "D"="'x y'")"},
      {"ENV A=", R"(ENV "A"="")"},
      {"ENV A=b=c", R"(ENV "A"="b=c")"},
      {"ENV A   some  value = x", R"(ENV "A"="some  value = x" (legacy))"},
      {"ENV A='it\\' B=2", R"(ENV "A"="'it\\'" "B"="2")"},
      {"ENV A=x\\", R"(ENV "A"="x")"},
      {"LABEL a.b=\"x\\\"y\" c", "error"},
      {"LABEL \"a b\"=c", R"(LABEL "\"a b\""="c")"},
      {"ARG A B=2 C= D=\"x y\"", R"(ARG "A" "B"="2" "C"="" "D"="\"x y\"")"},
      {"EXPOSE 80 443/tcp  22", R"(EXPOSE ports=["22" "443/tcp" "80"])"},
      {"VOLUME /a /b", R"(VOLUME paths=["/a" "/b"])"},
      {"VOLUME [\"/a b\", \" /c \"]", R"(VOLUME paths=["/a b" "/c"])"},
      {"USER  a b ", R"(USER "a b")"},
      {"WORKDIR /a b", R"(WORKDIR "/a b")"},
      {"STOPSIGNAL SIGINT", R"(STOPSIGNAL "SIGINT")"},
      {"MAINTAINER A <a@b>", R"(MAINTAINER "A <a@b>")"},
      {"HEALTHCHECK none", "HEALTHCHECK none"},
      {"HEALTHCHECK --interval=1m30s --timeout=0 --start-period=2s --start-interval=1ms --retries=3 CMD curl x",
       R"(HEALTHCHECK interval=1m30s timeout=0s start-period=2s start-interval=1ms retries=3 shell ["curl x"])"},
      {"HEALTHCHECK cmd [\"a\"]",
       R"(HEALTHCHECK interval=0s timeout=0s start-period=0s start-interval=0s retries=0 exec ["a"])"},
      {"COPY a b c/", R"(COPY sources=["a" "b"] destination="c/")"},
      {"COPY [\"a b\", \"c\"]", R"(COPY sources=["a b"] destination="c")"},
      {"COPY \"a b\" c", R"(COPY sources=["\"a" "b\""] destination="c")"},
      {"COPY --from=0 --chown=1:2 --chmod=$M --link --parents=false --exclude=*.o --exclude=x a b",
       R"(COPY sources=["a"] destination="b" from="0" chown="1:2" chmod="$M" link=true parents=false exclude=["*.o" "x"])"},
      {"COPY --from= a b", R"(COPY sources=["a"] destination="b")"},
      {"ADD --checksum=sha256:0 --keep-git-dir=TRUE --unpack=false https://x/y /z",
       R"(ADD sources=["https://x/y"] destination="/z" checksum="sha256:0" keep-git-dir=true unpack=false)"},
      {"ONBUILD RUN --mount=type=ssh x", R"(ONBUILD "RUN --mount=type=ssh x")"},
      {"ONBUILD COPY <<A <<B /d/\n1\nA\n2\nB\n", R"(ONBUILD "COPY <<A <<B /d/\n1\nA\n2\nB")"},
  };
  for (const BodyRow& row : rows) {
    if (row.dump == "error") {
      EXPECT_THROW(parse_one(row.text), Error) << row.text;
    } else {
      EXPECT_EQ(dump_body(parse_one(row.text)), row.dump) << row.text;
    }
  }
}

TEST(Stages, AreNamedWithoutCase) {
  const Dockerfile file =
      parse_dockerfile("ARG V=1\nfrom --platform=$P base:${V} as Build.1-x_y\nRUN a\nFROM scratch\n", "Dockerfile");
  EXPECT_THAT(file.global_args, SizeIs(1));
  ASSERT_THAT(file.stages, SizeIs(2));
  EXPECT_EQ(file.stages[0].name, "build.1-x_y");
  EXPECT_EQ(file.stages[0].from_body().alias, "Build.1-x_y");
  EXPECT_EQ(file.stages[0].from_body().platform, "$P");
  EXPECT_EQ(file.stages[0].from.keyword, "FROM");
  EXPECT_EQ(file.stages[1].name, "");
  EXPECT_EQ(file.stages[1].from_body().image, "scratch");
}

TEST(Trigger, IsParsedAsOneInstruction) {
  EXPECT_EQ(dump_body(parse_trigger("COPY --chown=1 . /app", "base (ONBUILD)")),
            R"(COPY sources=["."] destination="/app" chown="1")");
  EXPECT_EQ(dump_body(parse_trigger("RUN <<A cat <<B\n1\nA\n2\nB", "base")),
            "RUN shell [\"<<A cat <<B\"]\n    <<A \"1\\n\"\n    <<B \"2\\n\"");
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"FROM x", "FROM isn't allowed as an ONBUILD trigger"},
      {"ONBUILD RUN x", "ONBUILD isn't allowed as an ONBUILD trigger"},
      {"maintainer x", "MAINTAINER isn't allowed as an ONBUILD trigger"},
      {"RNU x", "unknown instruction: RNU (did you mean RUN?)"},
      {"", "an ONBUILD trigger must be one instruction, not 0"},
      {"RUN a\nRUN b", "an ONBUILD trigger must be one instruction, not 2"},
  };
  for (const auto& row : bad) {
    try {
      parse_trigger(row.first, "base:1 (ONBUILD)");
      ADD_FAILURE() << row.first;
    } catch (const Error& error) {
      EXPECT_EQ(error.message(), row.second);
      ASSERT_TRUE(error.span().has_value());
      EXPECT_EQ(error.span()->file, "base:1 (ONBUILD)");
    }
  }
}

TEST(Flags, AreReadWithTheEscapeOfTheFile) {
  const Dockerfile file = parse_dockerfile("# escape=`\nFROM a\nCOPY --chown=a\\b`\"c` d a b\n", "Dockerfile");
  EXPECT_EQ(std::get<Copy>(file.stages.front().instructions.front().body).chown, "a\\b\"c d");
}

TEST(Directives, AForeignHeadIsKnown) {
  const auto hints_of = [](const std::string& text) {
    try {
      parse_dockerfile(text, "Dockerfile");
    } catch (const Error& error) {
      return error.hints();
    }
    return std::vector<std::string>{"accepted"};
  };
  const std::string hint = "the file asks for the frontend x/y, but only the Dockerfile language is read";
  EXPECT_THAT(hints_of("# syntax=x/y\nFROM\n"), ElementsAre(hint));
  EXPECT_THAT(hints_of("#!/bin/x\n// check=skip=all\n// syntax=x/y\n"), ::testing::Contains(hint));
  EXPECT_THAT(hints_of("{\"syntax\": \"x/y\"}"), ::testing::Contains(hint));
  for (const char* ours : {"docker/dockerfile", "docker/dockerfile:1.7-labs", "docker.io/docker/dockerfile:1",
                           "docker/dockerfile-upstream:master", "docker/dockerfile@sha256:0", "dockerfile.v0"}) {
    EXPECT_THAT(hints_of(std::string("# syntax=") + ours + "\nFROM\n"), IsEmpty()) << ours;
  }
}

TEST(Keywords, AreEighteen) {
  EXPECT_THAT(instruction_keywords(), SizeIs(18));
  EXPECT_THAT(instruction_keywords(), ::testing::Contains("STOPSIGNAL"));
}

// Processor time, since machines that run tests are busy. A release build takes about 20 ms; the bound leaves room for
// sanitizers and catches a parser that became quadratic.
TEST(Speed, TenThousandLines) {
  std::string text = "FROM a\n";
  for (int i = 0; i < 2000; ++i) {
    text +=
        "RUN apt-get update && \\\n  apt-get install -y x # note\nENV A=1 B=\"two words\"\nCOPY --chown=1:1 a b /c/\n";
    text += "CMD [\"a\", \"b\"]\n";
  }
  const std::clock_t start = std::clock();
  const Dockerfile file = parse_dockerfile(text, "Dockerfile");
  const double milliseconds = 1000.0 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  EXPECT_THAT(file.stages.front().instructions, SizeIs(8000));
  RecordProperty("milliseconds", std::to_string(milliseconds));
  EXPECT_LT(milliseconds, 1000);
}

}  // namespace
}  // namespace tektii::dockerfile
