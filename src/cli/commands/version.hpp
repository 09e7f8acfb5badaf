#pragma once

#include "cli/commands/image_builder.hpp"
#include "cli/commands/list_options.hpp"
#include "cli/context.hpp"
#include <tektii/api/types.hpp>

#include <memory>
#include <string>

namespace tektii::cli {

struct VersionListOptions {
  std::string strategy;
  ListOptions page;
};
struct VersionGetOptions {
  std::string strategy;
  std::string version;
};

// `tektii version upload|list|get`.
void setup_version(CLI::App& root, CommandContext& context, std::shared_ptr<ImageBuilder> builder);

int run_version_list(const VersionListOptions& options, CommandContext& context);
int run_version_get(const VersionGetOptions& options, CommandContext& context);

}  // namespace tektii::cli
