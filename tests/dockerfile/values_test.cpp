#include <tektii/dockerfile/values.hpp>
#include <tektii/util/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::dockerfile {
namespace {

using ::testing::ElementsAre;

template <typename Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.message();
  }
  return "no error";
}

TEST(Chmod, OctalReplacesTheMode) {
  EXPECT_EQ(parse_chmod("644").apply(0777, false), 0644U);
  EXPECT_EQ(parse_chmod("0").apply(0777, true), 0U);
  EXPECT_EQ(parse_chmod("07777").apply(0, true), 07777U);
  EXPECT_EQ(parse_chmod("00755").absolute(), 0755U);
  EXPECT_FALSE(parse_chmod("u+x").absolute().has_value());
}

struct SymbolicRow {
  std::string change;
  unsigned before;
  bool is_directory;
  unsigned after;
};

TEST(Chmod, SymbolicChangesWhatItNames) {
  const std::vector<SymbolicRow> rows = {
      {"u=rwX,go=rX", 0600, false, 0644}, {"u=rwX,go=rX", 0700, false, 0755}, {"u=rwX,go=rX", 0600, true, 0755},
      {"+x", 0644, false, 0755},          {"a+x", 0644, false, 0755},         {"u+x", 0644, false, 0744},
      {"go-rwx", 0777, false, 0700},      {"-w", 0666, false, 0444},          {"u=", 0755, false, 0055},
      {"=r", 0777, false, 0444},          {"g=u", 0750, false, 0770},         {"o=g", 0750, false, 0755},
      {"u+s", 0755, false, 04755},        {"g+s", 0755, true, 02755},         {"+t", 0777, true, 01777},
      {"ug+s,o-rx", 0755, false, 06750},  {"u+r-w", 0200, false, 0400},       {"a=rX", 0111, false, 0555},
      {"u=rw", 04755, false, 0655},       {"ugo+X", 0644, false, 0644},       {"go=rX", 01777, true, 01755},
      {"=u", 04750, false, 04777},        {"a=,a+X", 0755, false, 0111},
  };
  for (const SymbolicRow& row : rows) {
    EXPECT_EQ(parse_chmod(row.change).apply(row.before, row.is_directory), row.after) << row.change;
  }
}

TEST(Chmod, RefusesTheRest) {
  for (const char* text :
       {"", "8", "10000", "0x1", "-1", "u", "u+z", "rwx", "u=rwX,", ",u+x", "u+x;", "77777777777777"}) {
    EXPECT_EQ(message_of([&] { parse_chmod(text); }),
              std::string("invalid chmod parameter: '") + text +
                  "'. it should be octal between 0 and 07777, or symbolic like u=rwX,go=rX")
        << text;
  }
}

TEST(Ports, AreNormalised) {
  EXPECT_THAT(parse_ports("80"), ElementsAre("80/tcp"));
  EXPECT_THAT(parse_ports("80/"), ElementsAre("80/tcp"));
  EXPECT_THAT(parse_ports("80/UDP"), ElementsAre("80/udp"));
  EXPECT_THAT(parse_ports("3456/sctp"), ElementsAre("3456/sctp"));
  EXPECT_THAT(parse_ports("8000-8003/tcp"), ElementsAre("8000/tcp", "8001/tcp", "8002/tcp", "8003/tcp"));
  EXPECT_THAT(parse_ports("1234:1234/tcp"), ElementsAre("1234/tcp"));
  EXPECT_THAT(parse_ports("0.0.0.0:1234-1235:3333-3334/tcp"), ElementsAre("3333/tcp", "3334/tcp"));
  EXPECT_THAT(parse_ports("127.0.0.1::8080"), ElementsAre("8080/tcp"));
  EXPECT_THAT(parse_ports("8000-8010:80"), ElementsAre("80/tcp"));
  EXPECT_THAT(parse_ports("[2001:4860:0:2001::68]::333"), ElementsAre("333/tcp"));
  EXPECT_THAT(parse_ports("[::1]:80:80"), ElementsAre("80/tcp"));
  EXPECT_THAT(parse_ports("2001:4860:0:2001::68::333"), ElementsAre("333/tcp"));
  EXPECT_THAT(parse_ports("::1:80:80"), ElementsAre("80/tcp"));
  EXPECT_THAT(parse_ports("::::80"), ElementsAre("80/tcp"));
}

TEST(Ports, RefusesTheRest) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"", "no port specified: <empty>"},
      {"/tcp", "no port specified: /tcp<empty>"},
      {"80/http", "invalid proto: http"},
      {"http", "invalid containerPort: http"},
      {"65536", "invalid containerPort: 65536"},
      {"-1", "invalid containerPort: -1"},
      {"90-80", "invalid containerPort: 90-80"},
      {"1-2-3", "invalid containerPort: 1-2-3"},
      {"x:80", "invalid hostPort: x"},
      {"1-2:80-83", "invalid ranges specified for container and host Ports: 80-83 and 1-2"},
      {"localhost:80:80", "invalid IP address: localhost"},
      {"1.2.3:80:80", "invalid IP address: 1.2.3"},
  };
  for (const auto& row : rows) EXPECT_EQ(message_of([&] { parse_ports(row.first); }), row.second);
}

TEST(Signals, ByNameAndNumber) {
  EXPECT_EQ(parse_signal("SIGTERM"), 15);
  EXPECT_EQ(parse_signal("term"), 15);
  EXPECT_EQ(parse_signal("SIGRTMIN"), 34);
  EXPECT_EQ(parse_signal("RTMIN+3"), 37);
  EXPECT_EQ(parse_signal("SIGRTMAX-14"), 50);
  EXPECT_EQ(parse_signal("9"), 9);
  EXPECT_EQ(message_of([] { parse_signal("SIGTREM"); }), "invalid signal: SIGTREM (did you mean SIGTERM?)");
  for (const char* text : {"0", "-9", "65", "", "SIG", "RTMIN-1", "RTMAX+1", "RTMIN+99", "9x"}) {
    EXPECT_TRUE(message_of([&] { parse_signal(text); }).starts_with(std::string("invalid signal: ") + text)) << text;
  }
}

TEST(GoDuration, Parses) {
  EXPECT_EQ(parse_go_duration("0"), 0);
  EXPECT_EQ(parse_go_duration("30s"), 30'000'000'000);
  EXPECT_EQ(parse_go_duration("1h30m"), 5'400'000'000'000);
  EXPECT_EQ(parse_go_duration("1.5s"), 1'500'000'000);
  EXPECT_EQ(parse_go_duration(".5s"), 500'000'000);
  EXPECT_EQ(parse_go_duration("100ms"), 100'000'000);
  EXPECT_EQ(parse_go_duration("3us"), 3'000);
  EXPECT_EQ(parse_go_duration("3µs"), 3'000);
  EXPECT_EQ(parse_go_duration("7ns"), 7);
  EXPECT_EQ(parse_go_duration("+5s"), 5'000'000'000);
  EXPECT_EQ(parse_go_duration("-1m"), -60'000'000'000);
  EXPECT_EQ(parse_go_duration("0.1s"), 100'000'000);
  EXPECT_EQ(message_of([] { parse_go_duration("5"); }), "missing unit in duration \"5\"");
  EXPECT_EQ(message_of([] { parse_go_duration("5y"); }), "unknown unit \"y\" in duration \"5y\"");
  EXPECT_EQ(message_of([] { parse_go_duration("soon"); }), "invalid duration \"soon\"");
  EXPECT_EQ(message_of([] { parse_go_duration(""); }), "invalid duration \"\"");
  EXPECT_EQ(message_of([] { parse_go_duration("-"); }), "invalid duration \"-\"");
  EXPECT_EQ(message_of([] { parse_go_duration("."); }), "invalid duration \".\"");
  EXPECT_EQ(message_of([] { parse_go_duration("9999999999h"); }), "invalid duration \"9999999999h\"");
}

TEST(RamSize, Parses) {
  EXPECT_EQ(parse_ram_size("1024"), 1024U);
  EXPECT_EQ(parse_ram_size("64m"), 64U << 20U);
  EXPECT_EQ(parse_ram_size("64MB"), 64U << 20U);
  EXPECT_EQ(parse_ram_size("64MiB"), 64U << 20U);
  EXPECT_EQ(parse_ram_size("1.5 GB"), 3U << 29U);
  EXPECT_EQ(parse_ram_size("12b"), 12U);
  for (const char* text : {"", "m", "-1", "1x", "1mm", "99999999999999999999999"}) {
    EXPECT_EQ(parse_ram_size(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace tektii::dockerfile
