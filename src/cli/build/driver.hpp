#pragma once

#include "options.hpp"
#include <tektii/builder/build.hpp>
#include <tektii/builder/lint.hpp>
#include <tektii/oci/reference.hpp>
#include <tektii/registry/credentials.hpp>

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tektii::cli {

// Wires the concrete store, executor, registry client and progress for one build and keeps them alive until the image
// is where it should be.
class BuildDriver {
 public:
  // Reads and checks every input. When the build needs unpacked layers it also enters the private namespaces, so it
  // must be called while the process has one thread; not so when the options say that nothing is built.
  explicit BuildDriver(const BuildOptions& options);
  ~BuildDriver();
  BuildDriver(const BuildDriver&) = delete;
  BuildDriver& operator=(const BuildDriver&) = delete;

  builder::BuildRequest& request();

  // All that can be found out without running a step: the plan, and that every base image is there for the platform.
  void check(const std::stop_token& stop);
  // What --check shows; builds nothing.
  builder::DockerfileCheck check_dockerfile(const std::stop_token& stop);
  // What the Dockerfile takes from other places, as it is now; what `kept` has is not asked for again. Builds nothing.
  LockFile lock(const LockFile& kept, const std::stop_token& stop);
  builder::BuildResult build(const std::stop_token& stop);
  // The same for an image that is pushed next: beside the build it is checked that the references can be pushed to, and
  // layers are sent as soon as it is certain that the image has them. The build ends early when the push can't succeed.
  builder::BuildResult build_for_push(const std::vector<oci::ImageReference>& references, const std::stop_token& stop);
  // Writes every --output. The references name the image in them.
  void write_outputs(const builder::BuildResult& result, const std::vector<oci::ImageReference>& references,
                     const std::stop_token& stop);
  // An output goes to standard output, which then takes nothing else.
  bool writes_standard_output() const;
  // Puts the image into the store's own layout under the references, complete with its base layers.
  void keep_in_store(const builder::BuildResult& result, const std::vector<oci::ImageReference>& references,
                     const std::stop_token& stop);
  // Creates the repositories that are pushed to, in Amazon ECR; throws Error{usage} for other registries.
  void create_repositories(const std::vector<oci::ImageReference>& references, const std::stop_token& stop);
  void push(const builder::BuildResult& result, const std::vector<oci::ImageReference>& references,
            const std::stop_token& stop);
  // Writes every --cache-to. Layers that were pushed to one of the references are mounted from there where they can be.
  // Returns warnings: failures that the options say to ignore.
  std::vector<std::string> export_caches(const builder::BuildResult& result,
                                         const std::vector<oci::ImageReference>& pushed, const std::stop_token& stop);
  // After everything else: keeps the store below its limit. Never throws; what fails is a warning.
  void collect_garbage(const std::stop_token& stop);
  // Ends the live display before something else is printed.
  void settle();
  // Where the time went, as a table; empty unless the options ask for it.
  std::string summary() const;
  // Credentials that beat docker's config.json for one registry, from now on.
  void use_credentials(const std::string& registry, registry::Credentials credentials);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tektii::cli
