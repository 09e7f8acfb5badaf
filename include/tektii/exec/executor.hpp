#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::exec {

// The root of a command: an overlay of read-only lower directories and one that takes the changes.
struct Rootfs {
  std::vector<std::filesystem::path> lower_dirs;  // topmost first; may be empty (a stage FROM scratch)
  // Exists and is empty before the run; holds the changes after it. Its own owner, mode and times are what the command
  // sees of "/"; one that not everyone may search (mkdtemp) is made root's with mode 0755.
  std::filesystem::path upper_dir;
  std::filesystem::path work_dir;  // exists, empty (before and after), on the same file system as upper_dir
};

enum class NetworkMode { host, none };

// One command, ready to run: everything is resolved and expanded.
struct RunSpec {
  std::vector<std::string> argv;
  std::vector<std::string> env;  // the whole environment, "NAME=value"
  std::string working_dir = "/";
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> supplementary_groups;
  std::string host_name = "buildkitsandbox";
  NetworkMode network = NetworkMode::host;
};

enum class OutputStream { standard_output, standard_error };

// Receives what a command prints, in order per stream, from one thread at a time.
class OutputSink {
 public:
  virtual ~OutputSink() = default;
  virtual void write(OutputStream stream, std::string_view bytes) = 0;
};

struct ExitStatus {
  int exit_code = 0;  // of the command; 128 + signal when a signal ended it
  int signal = 0;
  bool success() const { return exit_code == 0; }
};

// Why a command can't run here, and what would change that.
struct Unavailable {
  std::string reason;
  std::vector<std::string> hints;
};

// Runs one command in a root file system, isolated. Thread-safe: several commands may run at once.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual std::string_view name() const = 0;  // "userns"
  // Checked at plan time; nullopt means that the command can be run.
  virtual std::optional<Unavailable> unavailable_reason(const RunSpec& spec) = 0;
  // Throws Error for failures of the machinery (with the step that failed); the command's own failure is a value. On
  // stop everything the command started is killed and reaped, and Error{interrupted} is thrown. When this returns, no
  // process and no mount of the run is left; /proc, /dev, /sys, /etc/resolv.conf and /etc/hosts as seen by the command
  // leave no trace in upper_dir.
  virtual ExitStatus run(const Rootfs& rootfs, const RunSpec& spec, OutputSink& output, std::stop_token stop) = 0;
};

}  // namespace tektii::exec
