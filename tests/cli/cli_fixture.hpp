#pragma once

#include "api/fake_transport.hpp"
#include "cli/command_line.hpp"
#include "cli/commands/api.hpp"
#include "cli/commands/image_builder.hpp"
#include "cli/commands/instruments.hpp"
#include "cli/commands/scenario.hpp"
#include "cli/commands/strategy.hpp"
#include "cli/commands/version.hpp"
#include <tektii/util/file.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace tektii::test {

inline const std::string k_test_key(64, 'a');

// Records what it was asked and answers with a fixed digest, or fails in one of its calls.
class FakeBuilder : public cli::ImageBuilder {
 public:
  void add_options(CLI::App& command) override { command.add_option("--build-arg", build_args); }
  void prepare(const cli::UploadInputs& given) override {
    calls.push_back("prepare");
    inputs = given;
    if (fail_prepare) throw Error(ErrorKind::failure, "COPY source is missing");
  }
  oci::Digest build_and_push(const oci::ImageReference& target, const registry::Credentials& with,
                             const std::function<void(cli::UploadPhase)>& on_phase) override {
    calls.push_back("build");
    reference = target.str();
    username = with.username;
    password = with.password.reveal();
    if (fail_build) throw Error(ErrorKind::run_failed, "RUN failed");
    on_phase(cli::UploadPhase::verifying);
    on_phase(cli::UploadPhase::pushing);
    return oci::Digest::of_bytes("image");
  }

  std::vector<std::string> calls;
  std::vector<std::string> build_args;
  cli::UploadInputs inputs;
  std::string reference;
  std::string username;
  std::string password;
  bool fail_prepare = false;
  bool fail_build = false;
};

// Runs command lines against a scripted API; the streams are kept apart and together, as a terminal would show them.
class CliFixture : public ::testing::Test {
 protected:
  // A transport that hands on to the one of the fixture.
  class Forward : public net::HttpTransport {
   public:
    explicit Forward(FakeTransport& next) : next_(next) {}
    net::HttpResponse send(const net::HttpRequest& request, ByteSink* sink, std::stop_token stop) override {
      return next_.send(request, sink, stop);
    }

   private:
    FakeTransport& next_;
  };

  void SetUp() override {
    for (const char* name : {"TEKTII_API_URL", "TEKTII_API_KEY"}) ::unsetenv(name);
  }
  void TearDown() override { SetUp(); }

  int run(const std::vector<std::string>& args) {
    out.str("");
    err.str("");
    cli::Terminal terminal(out, err, {});
    cli::CommandContext context(terminal, clock, [this] { return std::make_unique<Forward>(transport); });
    return cli::run_command_line(args, context, [this](CLI::App& root, cli::CommandContext& given) {
      cli::setup_strategy(root, given);
      cli::setup_version(root, given, builder);
      cli::setup_scenario(root, given);
      cli::setup_instruments(root, given);
      cli::setup_api(root, given);
    });
  }
  // With a key and a URL.
  int run_with_key(std::vector<std::string> args) {
    args.insert(args.end(), {"--api-key", k_test_key, "--api-url", "https://api.test"});
    return run(args);
  }

  FakeTransport transport;
  FakeClock clock;
  std::shared_ptr<FakeBuilder> builder = std::make_shared<FakeBuilder>();
  std::ostringstream out;
  std::ostringstream err;
};

}  // namespace tektii::test
