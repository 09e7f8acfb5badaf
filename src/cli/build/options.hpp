#pragma once

#include "attest_options.hpp"
#include "cache_options.hpp"
#include "cli/registry_options.hpp"
#include "cli/transfer_options.hpp"
#include "context/loader.hpp"
#include "lock_file.hpp"
#include "run_options.hpp"
#include <tektii/builder/build.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tektii::cli {

// The options of `tektii build` as they were given (flag names of docker buildx build).
struct BuildOptions {
  std::string context = ".";
  std::string file;
  std::vector<std::string> tags;
  std::vector<std::string> build_args;
  std::vector<std::string> build_contexts;
  std::vector<std::string> labels;
  std::vector<std::string> annotations;
  std::vector<std::string> outputs;
  std::string target;
  std::string platform = "linux/amd64";
  std::string progress = "auto";
  std::string compression = "gzip";
  std::string timestamps;
  std::string iid_file;
  std::string metadata_file;
  int jobs = 0;                    // 0: one per processor
  bool create_repository = false;  // in Amazon ECR, before the push
  bool push = false;
  bool early_push = true;  // send layers while later steps run
  bool no_cache = false;
  bool preserve_modes = false;
  bool base_annotations = true;
  AttestOptions attest;
  bool locked = false;
  std::string lock_file;             // empty: beside the Dockerfile
  bool summary = false;              // tell where the time went
  bool builds_nothing = false;       // --check and --call
  std::string file_flag = "--file";  // the name of the flag, for hints
  RunOptions run;
  CacheOptions caches;
  TransferFlags transfer;
  RegistryFlags registries;
};

struct OutputSpec {
  enum class Kind { oci_directory, oci_archive, docker_archive };
  Kind kind = Kind::oci_directory;
  std::filesystem::path destination;                // absolute, or "-"
  std::optional<bool> oci_artifact = std::nullopt;  // how attestations are attached

  bool is_standard_output() const { return destination == "-"; }
};

// Everything that the options say, checked and read; nothing is left that could be a usage error.
struct BuildInputs {
  builder::BuildRequest request;
  std::vector<OutputSpec> outputs;
  StartedAgents agents;
  CacheSpecs caches;
  std::optional<LockFile> lock;   // of --locked
  std::string lock_name;          // as shown in messages
  bool may_run_commands = false;  // some stage may have a RUN, in the Dockerfile or as ONBUILD of its base
};

// "type=oci|docker,dest=..." of --output; throws Error{usage}.
OutputSpec parse_output(const std::string& text);

// Loads the contexts, reads the Dockerfile, the ignore file and the commit time of the context. Throws Error{usage}; a
// missing Dockerfile has the documented text "Dockerfile not found at PATH".
BuildInputs read_build_inputs(const BuildOptions& options, ContextLoader& loader);

// Where the lock file is: --lock-file, else "tektii.lock" beside the Dockerfile. Throws Error{usage} when the
// Dockerfile is no file of this machine.
std::filesystem::path lock_path(const BuildOptions& options);
// nullopt when there is no such file.
std::optional<LockFile> read_lock_file(const std::filesystem::path& path);

}  // namespace tektii::cli
