#include "cli/build/cache_limit.hpp"
#include "cli/build/healing.hpp"
#include "cli/command_line.hpp"
#include "cli/commands/cache.hpp"
#include "cli/commands/cache_view.hpp"
#include <tektii/net/http.hpp>
#include <tektii/store/store.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

namespace tektii::cli {
namespace {

using ::testing::HasSubstr;
using Kind = store::CacheLimit::Kind;

TEST(CacheLimitText, Sizes) {
  EXPECT_EQ(parse_size("10GB"), 10'000'000'000U);
  EXPECT_EQ(parse_size("512MiB"), 512U << 20U);
  EXPECT_EQ(parse_size("1.5k"), 1500U);
  EXPECT_EQ(parse_size(" 2 TB "), 2'000'000'000'000U);
  EXPECT_EQ(parse_size("4096"), 4096U);
  EXPECT_EQ(parse_size("7b"), 7U);
  EXPECT_EQ(parse_size("0"), 0U);
  for (const auto* bad : {"", "GB", "-1GB", "1XB", "1 G B", "10iB", "nan", "inf", "1e30", "99999999TB", "5%"}) {
    EXPECT_EQ(parse_size(bad), std::nullopt) << bad;
  }
}

TEST(CacheLimitText, Durations) {
  using std::chrono::hours;
  EXPECT_EQ(parse_duration("24h"), hours(24));
  EXPECT_EQ(parse_duration("7d"), hours(7 * 24));
  EXPECT_EQ(parse_duration("2w"), hours(14 * 24));
  EXPECT_EQ(parse_duration("1h30m"), std::chrono::minutes(90));
  EXPECT_EQ(parse_duration("0.5m"), std::chrono::seconds(30));
  EXPECT_EQ(parse_duration("0s"), hours(0));
  for (const auto* bad : {"", "5", "h", "-1h", "1y", "1h5", "999999999w", "infh"}) {
    EXPECT_EQ(parse_duration(bad), std::nullopt) << bad;
  }
}

TEST(CacheLimitText, Limits) {
  EXPECT_EQ(parse_cache_limit("")->kind, Kind::automatic);
  EXPECT_EQ(parse_cache_limit("off")->kind, Kind::off);
  EXPECT_EQ(parse_cache_limit("0")->kind, Kind::off);
  EXPECT_EQ(parse_cache_limit("20GB")->value, 20'000'000'000U);
  EXPECT_EQ(parse_cache_limit("15%")->kind, Kind::percent);
  EXPECT_EQ(parse_cache_limit("15%")->value, 15U);
  for (const auto* bad : {"much", "0%", "101%", "%", "-1", "on"}) EXPECT_FALSE(parse_cache_limit(bad)) << bad;
}

TEST(Healing, DoesDamagedWorkAgainAndNoOther) {
  std::ostringstream out;
  std::ostringstream err;
  Terminal terminal(out, err, {});
  int calls = 0;
  const auto work = [&](ErrorKind kind, int failures) {
    calls = 0;
    return with_healing(terminal, [&] {
      if (++calls <= failures) throw Error(kind, "blob x was damaged in the store");
      return calls;
    });
  };
  EXPECT_EQ(work(ErrorKind::damaged, 3), 4);
  EXPECT_THAT(err.str(), HasSubstr("Warning: blob x was damaged in the store: it is made again\n"));
  EXPECT_THROW(work(ErrorKind::damaged, 100), Error);
  EXPECT_EQ(calls, 8);
  EXPECT_THROW(work(ErrorKind::failure, 1), Error);
  EXPECT_EQ(calls, 1);
}

class CacheCommandTest : public ::testing::Test {
 protected:
  CacheCommandTest() { ::setenv("TEKTII_CACHE_DIR", root_.c_str(), 1); }
  ~CacheCommandTest() override { ::unsetenv("TEKTII_CACHE_DIR"); }

  int run(const std::vector<std::string>& args) {
    out_.str("");
    err_.str("");
    Terminal terminal(out_, err_, {});
    SystemClock clock;
    CommandContext context(terminal, clock, [] { return net::make_curl_transport("tektii/test"); });
    return run_command_line(args, context, [](CLI::App& root, CommandContext& given) { setup_cache(root, given); });
  }
  nlohmann::json json() const { return nlohmann::json::parse(out_.str()); }

  // Blobs as builds that have ended left them.
  void add_blob(const std::string& content, int hours_ago) const {
    const auto digest = oci::Digest::of_bytes(content);
    make_directories(root_ / "blobs/sha256");
    const auto path = root_ / "blobs/sha256" / digest.hex();
    write_file_atomic(path, content);
    std::filesystem::last_write_time(path,
                                     std::filesystem::file_time_type::clock::now() - std::chrono::hours(hours_ago));
  }

  TempDir directory_;
  std::filesystem::path root_ = directory_.path() / "cache";
  std::ostringstream out_;
  std::ostringstream err_;
};

// An ordinary user's process may enter namespaces only while it has one thread.
class CacheCommandOfRoot : public CacheCommandTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "the command enters a user namespace";
  }
};

TEST_F(CacheCommandOfRoot, DuShowsKindsAndATotal) {
  add_blob("a", 1);
  add_blob("b", 30);
  ASSERT_EQ(run({"cache", "du"}), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("│ blobs"));
  EXPECT_THAT(out_.str(), HasSubstr("│ total"));
  ASSERT_EQ(run({"cache", "du", "--output", "json"}), 0) << err_.str();
  EXPECT_EQ(json()["kinds"][0]["kind"], "blobs");
  EXPECT_EQ(json()["kinds"][0]["count"], 2);
  EXPECT_EQ(json()["kinds"][0]["size"], json()["reclaimable"]);
  EXPECT_EQ(err_.str(), "");
}

TEST_F(CacheCommandOfRoot, PruneRemovesWhatIsOldEnough) {
  add_blob("a", 1);
  add_blob("b", 30);
  ASSERT_EQ(run({"cache", "prune", "--older-than", "1d", "--dry-run"}), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("Would free"));
  ASSERT_EQ(run({"--output", "json", "cache", "prune", "--filter", "until=24h", "-f"}), 0) << err_.str();
  EXPECT_EQ(json()["removed"].size(), 1U);
  EXPECT_EQ(json()["removed"][0]["path"], "blobs/sha256/" + std::string(oci::Digest::of_bytes("b").hex()));
  ASSERT_EQ(run({"cache", "prune", "--keep-storage", "1GB"}), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("│ total   │ 0"));
  ASSERT_EQ(run({"cache", "prune", "--all"}), 0) << err_.str();
  EXPECT_TRUE(std::filesystem::is_empty(root_ / "blobs/sha256"));
}

TEST_F(CacheCommandTest, WrongValuesAreUsageErrors) {
  EXPECT_EQ(run({"cache", "prune", "--keep-storage", "lots"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("--keep-storage lots: this is no size"));
  EXPECT_EQ(run({"cache", "prune", "--older-than", "5"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("--older-than 5: this is no duration"));
  EXPECT_EQ(run({"cache", "prune", "--filter", "type=regular"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("until=24h"));
  EXPECT_EQ(run({"cache"}), 2);
}

TEST_F(CacheCommandTest, HelpNamesTheLimit) {
  EXPECT_EQ(run({"cache", "--help"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("TEKTII_CACHE_LIMIT"));
  EXPECT_EQ(run({"cache", "prune", "--help"}), 0);
  for (const auto* option : {"--keep-storage", "--older-than", "--all", "--dry-run"}) {
    EXPECT_THAT(out_.str(), HasSubstr(option));
  }
}

}  // namespace
}  // namespace tektii::cli
