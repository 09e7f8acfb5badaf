#pragma once

#include "cli/context.hpp"
#include "cli/registry_options.hpp"
#include "cli/transfer_options.hpp"

#include <optional>
#include <string>

namespace tektii::cli {

struct CopyCommandOptions {
  std::string source;
  std::string destination;
  std::string platform = "linux/amd64";
  std::string progress = "auto";
  std::string format = "oci";  // of pull
  bool all = false;
  RegistryFlags registries;
  TransferFlags transfer;
};

// push, pull and copy: images from one place to another, byte for byte.
void setup_image_transfers(CLI::App& root, CommandContext& context);

int run_copy(const CopyCommandOptions& options, CommandContext& context);
// `destination` is a directory, a file that ends in .tar, or "-".
int run_pull(const CopyCommandOptions& options, CommandContext& context);
// `source` may also be the name of an image that a build has left in the store, or the path of a layout or archive;
// without `destination` the image goes where its name says.
int run_push(const CopyCommandOptions& options, CommandContext& context);

}  // namespace tektii::cli
