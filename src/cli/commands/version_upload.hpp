#pragma once

#include "cli/commands/image_builder.hpp"
#include "cli/context.hpp"
#include "cli/git_sha.hpp"

#include <memory>
#include <string>

namespace tektii::cli {

struct VersionUploadOptions {
  std::string strategy;
  std::string dockerfile;  // empty: Dockerfile in the context
  std::string context = ".";
  std::string git_sha;
  std::string parent;
  std::string template_name;
};

struct VersionUploadDeps {
  CommandContext& context;
  ImageBuilder& builder;
  ProcessRunner run_process;  // for git
};

// Adds `upload` to the `version` command.
void setup_version_upload(CLI::App& version, CommandContext& context, std::shared_ptr<ImageBuilder> builder);

// The documented order: validate, find the git SHA, create the version, build, verify, push. Once the version exists,
// every error names it.
int run_version_upload(const VersionUploadOptions& options, VersionUploadDeps deps);

}  // namespace tektii::cli
