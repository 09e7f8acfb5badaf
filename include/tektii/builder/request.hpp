#pragma once

#include <tektii/builder/attestations.hpp>
#include <tektii/exec/executor.hpp>
#include <tektii/oci/platform.hpp>
#include <tektii/util/compress.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace tektii::builder {

// What a --build-context NAME=... puts in the place of a name: a directory, or an image by the name that the opener of
// images takes ("oci-layout://DIR:TAG", "python:3.12-slim").
struct NamedContext {
  enum class Kind { directory, image };
  Kind kind = Kind::directory;
  std::filesystem::path directory;
  std::string image;
  // Of the commit or the file that a directory was taken from; none for a directory of the user's own.
  std::optional<std::int64_t> time = std::nullopt;
};

// Where the bytes of a --secret come from; read when a step asks for them, and kept in memory only.
struct SecretSource {
  std::optional<std::filesystem::path> file;
  std::optional<std::string> environment;  // name of a variable of this process
};

// What to build. Paths are absolute.
struct BuildRequest {
  std::filesystem::path context;  // a directory
  std::string dockerfile_text;
  std::string dockerfile_name = "Dockerfile";  // as shown in messages
  std::string ignore_text;                     // of the ignore file that applies; empty for none
  std::string ignore_name = ".dockerignore";
  std::map<std::string, std::string> build_args;
  std::string target;                                  // empty: the last stage
  std::map<std::string, NamedContext> named_contexts;  // by name as FROM and --from write it
  oci::Platform platform;
  bool no_cache = false;
  bool inline_cache = false;           // put the records of the image's steps into its config, see docs/cache-export.md
  int jobs = 0;                        // stages that are built side by side; 0: one per processor
  std::int64_t created = 0;            // time of the image and its history, in seconds
  std::int64_t source_date_epoch = 0;  // seconds; see docs/reproducible.md for where it comes from
  bool preserve_timestamps = false;
  bool preserve_modes = false;  // keep the permission bits of context files as they are
  CompressionOptions compression;
  std::map<std::string, std::string> labels;                  // --label, over those of the Dockerfile
  std::map<std::string, std::string> annotations;             // of the manifest
  std::map<std::string, std::string> descriptor_annotations;  // of what names the manifest: an index, a layout
  bool base_annotations = true;  // add org.opencontainers.image.base.name and .digest, unless they are given

  // What RUN --mount may ask for, by id.
  std::map<std::string, SecretSource> secrets;
  std::map<std::string, std::filesystem::path> ssh_agents;  // sockets
  std::set<std::string> entitlements;                       // of --allow: "security.insecure", "network.host"
  std::string default_network = "default";                  // of --network, for a RUN that has none
  std::optional<std::uint64_t> shm_size;                    // of /dev/shm in a RUN, in bytes
  std::vector<exec::Ulimit> ulimits;
  std::vector<std::pair<std::string, std::string>> extra_hosts;  // of --add-host: name and address

  AttestationRequest attestations;
};

}  // namespace tektii::builder
