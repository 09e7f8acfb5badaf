#include <tektii/dockerfile/history.hpp>

#include <gtest/gtest.h>

namespace tektii::dockerfile {
namespace {

using Words = std::vector<std::string>;

TEST(GoQuote, EscapesAsStrconvDoes) {
  EXPECT_EQ(go_quote(""), R"("")");
  EXPECT_EQ(go_quote("a \"b\" \\ c'd"), R"("a \"b\" \\ c'd")");
  EXPECT_EQ(go_quote("\a\b\f\n\r\t\v"), R"("\a\b\f\n\r\t\v")");
  EXPECT_EQ(go_quote(std::string_view("\0\x01\x1b\x7f", 4)), R"("\x00\x01\x1b\x7f")");
  EXPECT_EQ(go_quote("한국어 é 🚀"), "\"한국어 é 🚀\"");
  EXPECT_EQ(go_quote("\xff\xc3"), R"("\xff\xc3")");
  EXPECT_EQ(go_quote("\u00a0\u0085\u200b\ufeff"), R"("\u00a0\u0085\u200b\ufeff")");
  EXPECT_EQ(go_quote("\U000e0001"), R"("\U000e0001")");
  EXPECT_EQ(go_quote_list(Words{"a", "b c"}), R"(["a" "b c"])");
  EXPECT_EQ(go_quote_list(Words{}), "[]");
}

TEST(GoDuration, Formats) {
  EXPECT_EQ(format_go_duration(0), "0s");
  EXPECT_EQ(format_go_duration(7), "7ns");
  EXPECT_EQ(format_go_duration(1'500), "1.5µs");
  EXPECT_EQ(format_go_duration(250'000'000), "250ms");
  EXPECT_EQ(format_go_duration(30'000'000'000), "30s");
  EXPECT_EQ(format_go_duration(300'000'000'000), "5m0s");
  EXPECT_EQ(format_go_duration(5'430'050'000'000), "1h30m30.05s");
  EXPECT_EQ(format_go_duration(-1'500'000'000), "-1.5s");
}

TEST(History, Run) {
  EXPECT_EQ(history_run({}, Words{"/bin/sh", "-c", "apt-get update"}), "RUN /bin/sh -c apt-get update # buildkit");
  const std::vector<std::pair<std::string, std::string>> args = {{"A", "1"}, {"B", "2"}};
  EXPECT_EQ(history_run(args, Words{"/bin/sh", "-c", "cmd"}), "RUN |2 A=1 B=2 /bin/sh -c cmd # buildkit");
  EXPECT_EQ(history_run({}, Words{"ls", "-l"}), "RUN ls -l # buildkit");
}

TEST(History, CredentialsOfUrlsAreNotShown) {
  for (const auto& [text, shown] :
       std::vector<std::pair<std::string, std::string>>{{"http://u:p@h/a@b", "http://h/a@b"},
                                                        {"HTTPS://token@h:1", "HTTPS://h:1"},
                                                        {"https://h/?x=://a:b@c", "https://h/?x=://a:b@c"},
                                                        {"ssh://git:pw@h/a", "ssh://git@h/a"},
                                                        {"ssh://git@h/a", "ssh://git@h/a"},
                                                        {"git@h:a.git", "git@h:a.git"},
                                                        {"ADD --x=http://a:b@c \"https://u:p@h\" https://$U:$P@h/ /x@y",
                                                         "ADD --x=http://c \"https://h\" https://h/ /x@y"}}) {
    EXPECT_EQ(without_url_credentials(text), shown);
  }
  Copy add;
  add.is_add = true;
  add.sources = {"http://user:TOPSECRET@host/f", "https://token@host/a.git#main"};
  add.destination = "/";
  EXPECT_EQ(history_copy(add), "ADD http://host/f https://host/a.git#main / # buildkit");
}

TEST(History, CopyShowsThreeOfItsFlags) {
  Copy copy;
  copy.sources = {"src", "other"};
  copy.destination = "dst/";
  EXPECT_EQ(history_copy(copy), "COPY src other dst/ # buildkit");
  copy.chown = "1:2";
  copy.chmod = "644";
  copy.parents = true;
  copy.link = true;
  copy.from = "build";
  EXPECT_EQ(history_copy(copy), "COPY --parents --chown=1:2 --chmod=644 src other dst/ # buildkit");
  Copy add;
  add.is_add = true;
  add.heredocs.push_back({"hello.txt", "hi\n", true, false});
  add.destination = "/";
  EXPECT_EQ(history_copy(add), "ADD <<hello.txt / # buildkit");
}

TEST(History, Metadata) {
  EXPECT_EQ(history_workdir("/app"), "WORKDIR /app");
  const std::vector<KeyValue> pairs = {{"A", "1", false}, {"B", "two words", true}};
  EXPECT_EQ(history_env(pairs), "ENV A=1 B=two words");
  EXPECT_EQ(history_label(pairs), "LABEL A=1 B=two words");
  EXPECT_EQ(history_arg({{{"A", "1"}, {"B", std::nullopt}}}), "ARG A=1 B");
  EXPECT_EQ(history_cmd(Words{"a", "b"}), R"(CMD ["a" "b"])");
  EXPECT_EQ(history_cmd(Words{}), "CMD []");
  EXPECT_EQ(history_entrypoint(Words{"/bin/sh", "-c", "say \"hi\""}), R"(ENTRYPOINT ["/bin/sh" "-c" "say \"hi\""])");
  EXPECT_EQ(history_expose(Words{"443/tcp", "80/tcp"}), "EXPOSE [443/tcp 80/tcp]");
  EXPECT_EQ(history_volume(Words{"/data"}), "VOLUME [/data]");
  EXPECT_EQ(history_user("app:app"), "USER app:app");
  EXPECT_EQ(history_stopsignal("SIGINT"), "STOPSIGNAL SIGINT");
  EXPECT_EQ(history_shell(Words{"/bin/bash", "-c"}), "SHELL [/bin/bash -c]");
  EXPECT_EQ(history_maintainer("a@b"), "MAINTAINER a@b");
}

TEST(History, HealthcheckIsAGoStruct) {
  HealthcheckInstruction check;
  check.interval_ns = 300'000'000'000;
  check.timeout_ns = 3'000'000'000;
  EXPECT_EQ(history_healthcheck(check, Words{"CMD-SHELL", "curl -f http://localhost/ || exit 1"}),
            "HEALTHCHECK {Test:[CMD-SHELL curl -f http://localhost/ || exit 1] Interval:5m0s Timeout:3s StartPeriod:0s "
            "StartInterval:0s Retries:0}");
  check.retries = 3;
  EXPECT_TRUE(history_healthcheck(check, Words{"NONE"}).ends_with(" Retries:3}"));
}

}  // namespace
}  // namespace tektii::dockerfile
