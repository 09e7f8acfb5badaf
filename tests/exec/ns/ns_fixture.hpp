#pragma once

#include <tektii/exec/executor.hpp>
#include <tektii/util/file.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tektii::exec {

// What enter_build_namespace() returned to main().
void set_entered(std::optional<Unavailable> entered);

// Collects what a command prints.
class CollectingSink : public OutputSink {
 public:
  void write(OutputStream stream, std::string_view bytes) override {
    (stream == OutputStream::standard_output ? out : err).append(bytes);
  }
  std::string out;
  std::string err;
};

struct RunResult {
  ExitStatus status;
  std::string out;
  std::string err;
};

// Tests that run commands; skipped where namespaces can't be made, unless TEKTII_REQUIRE_NS=1 turns that into a
// failure.
class NsTest : public testing::Test {
 protected:
  NsTest();
  void SetUp() override;
  // Fails when a run has left a process, a mount or a file in its work directory.
  void TearDown() override;

  // A layer with a shell and the usual tools of this machine, with their libraries.
  const std::filesystem::path& tools() const;
  std::filesystem::path new_layer(const std::string& name) const;
  // An upper directory that the next run writes to.
  void new_upper();
  std::filesystem::path upper() const { return rootfs_.upper_dir; }
  // Paths in the upper directory, each with a '/' at its end when it is a directory, in walk order.
  std::vector<std::string> changes() const;

  RunSpec shell(const std::string& script) const;
  RunResult run(const RunSpec& spec);
  RunResult run(const std::string& script) { return run(shell(script)); }

  TempDir temp_;
  Rootfs rootfs_;
  std::unique_ptr<Executor> executor_;

 private:
  int uppers_ = 0;
};

}  // namespace tektii::exec
