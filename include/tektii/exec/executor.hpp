#pragma once

#include <tektii/exec/mount.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tektii::exec {

// How many lower directories a root may have: OVL_MAX_STACK of the kernel, less the two that mount points take.
inline constexpr std::size_t k_most_lower_dirs = 498;

// The root of a command: an overlay of read-only lower directories and one that takes the changes, or one directory.
struct Rootfs {
  std::vector<std::filesystem::path> lower_dirs;  // topmost first; may be empty (a stage FROM scratch)
  // Exists and is empty before the run; holds the changes after it. Its own owner, mode and times are what the command
  // sees of "/"; one that not everyone may search (mkdtemp) is made root's with mode 0755.
  std::filesystem::path upper_dir;
  std::filesystem::path work_dir;  // exists, empty (before and after), on the same file system as upper_dir
  // Not empty: the root is this directory itself, without overlayfs, and takes the changes. There are no other lower
  // directories and no upper one then. Mount points that it lacks are made for the run and removed after it, and what
  // is above them keeps its time, so that a command that changes nothing leaves it as it was but for ctimes.
  std::filesystem::path root_dir = {};
};

enum class NetworkMode { host, none };

// `insecure` gives every capability that this process has, and a /proc, /sys and /dev without what is hidden or
// protected otherwise.
enum class SecurityMode { sandbox, insecure };

// A limit of the command, named as in ulimit of Docker ("nofile").
struct Ulimit {
  std::string name;
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};
inline constexpr std::uint64_t k_unlimited = ~std::uint64_t{0};
// The names that a Ulimit can have.
const std::vector<std::string>& ulimit_names();

// One command, ready to run: everything is resolved and expanded.
struct RunSpec {
  std::vector<std::string> argv;
  std::vector<std::string> env;   // the whole environment, "NAME=value"
  std::string working_dir = "/";  // made, with what is missing above it, as the user's own when the image lacks it
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> supplementary_groups;
  std::string host_name = "buildkitsandbox";
  NetworkMode network = NetworkMode::host;
  SecurityMode security = SecurityMode::sandbox;
  // Mounted in the order of their targets, so that one inside another is seen; of two with one target the last counts.
  std::vector<Mount> mounts = {};
  std::vector<SecretVariable> secret_env = {};  // over `env`
  std::vector<Ulimit> ulimits = {};
  std::optional<std::uint64_t> shm_size = std::nullopt;               // of /dev/shm, in bytes
  std::vector<std::pair<std::string, std::string>> extra_hosts = {};  // name and address, for /etc/hosts
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
  // process and no mount of the run is left; /proc, /dev, /sys, /etc/resolv.conf and /etc/hosts as seen by the command,
  // and the targets of its mounts, leave no trace in upper_dir.
  virtual ExitStatus run(const Rootfs& rootfs, const RunSpec& spec, OutputSink& output, std::stop_token stop) = 0;
};

}  // namespace tektii::exec
