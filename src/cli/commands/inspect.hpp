#pragma once

#include "cli/context.hpp"

#include <cstddef>
#include <string>

namespace tektii::cli {

struct InspectOptions {
  std::string image;
  std::string platform;  // empty: linux/amd64 of an index, and --raw shows the index itself
  bool raw = false;
  bool config = false;
  bool layers = false;
};

struct TagsOptions {
  std::string repository;
  std::size_t limit = 0;
};

// inspect and tags: what is known of an image without fetching its layers.
void setup_image_queries(CLI::App& root, CommandContext& context);

int run_inspect(const InspectOptions& options, CommandContext& context);
int run_tags(const TagsOptions& options, CommandContext& context);

}  // namespace tektii::cli
