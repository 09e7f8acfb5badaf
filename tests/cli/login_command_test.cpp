#include "cli/command_line.hpp"
#include "cli/commands/login.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_registry.hpp"
#include <tektii/net/http.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <sstream>

namespace tektii::cli {
namespace {

using tektii::testing::FakeRegistry;
using ::testing::HasSubstr;
using ::testing::Not;

class LoginCommand : public ::testing::Test {
 protected:
  // With the text as standard input.
  int run(const std::vector<std::string>& args, const std::string& input = "") {
    write_file_atomic(directory.path() / "input", input);
    const UniqueFd saved(::dup(STDIN_FILENO));
    const UniqueFd file = open_file(directory.path() / "input", O_RDONLY);
    ::dup2(file.get(), STDIN_FILENO);
    out.str("");
    err.str("");
    Terminal terminal(out, err, {});
    CommandContext context(terminal, clock, [] { return net::make_curl_transport("tektii-test/1"); });
    const int code = run_command_line(args, context, setup_login);
    ::dup2(saved.get(), STDIN_FILENO);
    return code;
  }
  std::filesystem::path auth_file() const { return directory.path() / "auth.json"; }
  std::vector<std::string> login(const std::string& user = "bob") const {
    return {"login", "-u", user, "--password-stdin", "--authfile", auth_file().string(), registry.name()};
  }

  TempDir directory;
  tektii::testing::FakeClock clock;
  FakeRegistry registry{{.auth = FakeRegistry::Auth::bearer}};
  std::ostringstream out;
  std::ostringstream err;
};

TEST_F(LoginCommand, ChecksAndKeepsThePassword) {
  EXPECT_EQ(run(login(), "s3cret:with:colons\n"), 0) << err.str();
  EXPECT_THAT(err.str(), HasSubstr("Logged in to " + registry.name() + " as bob"));
  EXPECT_THAT(err.str(), HasSubstr("kept unencrypted in " + auth_file().string()));
  EXPECT_THAT(err.str(), Not(HasSubstr("s3cret")));
  EXPECT_EQ(out.str(), "");
  EXPECT_THAT(read_file(auth_file()), HasSubstr(base64_encode("bob:s3cret:with:colons")));
  EXPECT_EQ(run({"logout", "--authfile", auth_file().string(), registry.name()}), 0);
  EXPECT_THAT(err.str(), HasSubstr("Removed the login for " + registry.name()));
  EXPECT_THAT(read_file(auth_file()), Not(HasSubstr(registry.name())));
  EXPECT_EQ(run({"logout", "--authfile", auth_file().string(), registry.name()}), 0);
  EXPECT_THAT(err.str(), HasSubstr("Not logged in"));
}

TEST_F(LoginCommand, AWrongPasswordIsNotKept) {
  EXPECT_EQ(run(login(), "wrong"), 4);
  EXPECT_THAT(err.str(), HasSubstr("user 'bob' was refused"));
  EXPECT_THAT(err.str(), Not(HasSubstr("wrong")));
  EXPECT_FALSE(std::filesystem::exists(auth_file()));
}

TEST_F(LoginCommand, SaysWhatIsMissing) {
  EXPECT_EQ(run({"login", registry.name()}), 2);
  EXPECT_THAT(err.str(), HasSubstr("no terminal to ask for the password"));
  EXPECT_EQ(run({"login", "--password-stdin", registry.name()}, "pw"), 2);
  EXPECT_THAT(err.str(), HasSubstr("add -u USER"));
  EXPECT_EQ(run(login(), "\n"), 2);
  EXPECT_THAT(err.str(), HasSubstr("the password is empty"));
  EXPECT_EQ(run(login("a:b"), "pw"), 2);
  EXPECT_EQ(run({"login", "-u", "bob", "--password", "pw", registry.name()}), 2);
  EXPECT_EQ(registry.server().requests().size(), 0U);
}

TEST_F(LoginCommand, AnOpenRegistrySaysNothingOfTheCredentials) {
  const FakeRegistry open;
  EXPECT_EQ(run({"login", "-u", "bob", "--password-stdin", "--authfile", auth_file().string(), open.name()}, "pw"), 0);
  EXPECT_THAT(err.str(), HasSubstr("could not be checked"));
}

}  // namespace
}  // namespace tektii::cli
