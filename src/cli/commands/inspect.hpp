#pragma once

#include "cli/context.hpp"
#include "cli/registry_options.hpp"
#include "cli/transfer_options.hpp"

#include <cstddef>
#include <string>

namespace tektii::cli {

struct InspectOptions {
  std::string image;
  std::string platform;  // empty: linux/amd64 of an index, and --raw shows the index itself
  bool raw = false;
  bool config = false;
  bool layers = false;
  RegistryFlags registries;
  TransferFlags transfer;
};

struct TagsOptions {
  std::string repository;
  std::size_t limit = 0;
  RegistryFlags registries;
  TransferFlags transfer;
};

// inspect and tags: what is known of an image without fetching its layers.
void setup_image_queries(CLI::App& root, CommandContext& context);

int run_inspect(const InspectOptions& options, CommandContext& context);
int run_tags(const TagsOptions& options, CommandContext& context);

}  // namespace tektii::cli
