#pragma once

#include "cli/context.hpp"
#include "cli/images/image_name.hpp"
#include "cli/registry_options.hpp"
#include "cli/transfer_options.hpp"
#include <tektii/oci/content.hpp>
#include <tektii/registry/client.hpp>
#include <tektii/util/file.hpp>

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace tektii::cli {

// Opens images by name for one command, and keeps alive what that needs. Sources and targets must not outlive it.
class ImagePlaces {
 public:
  // Throws Error{usage} on options that make no sense, and what a damaged configuration of registries throws.
  ImagePlaces(CommandContext& context, const RegistryFlags& registries, const TransferFlags& transfer);

  registry::RegistryClient& client() { return client_; }
  // Throws Error{usage} for a file or directory that is not there.
  std::unique_ptr<oci::ContentSource> source(const ImageName& name, const std::stop_token& stop);
  // `called`: the name that an image in a file gets where `name` gives it none.
  std::unique_ptr<oci::ContentTarget> target(const ImageName& name,
                                             const std::optional<oci::ImageReference>& called = std::nullopt);
  // A directory for temporary files, gone with the object.
  const std::filesystem::path& scratch();

 private:
  std::unique_ptr<oci::ContentTarget> archive_target(const ImageName& name,
                                                     const std::optional<oci::ImageReference>& called);

  CommandContext& context_;
  RegistryAccess registries_;
  registry::RegistryClient client_;
  std::optional<TempDir> scratch_;
  std::unique_ptr<ByteSink> standard_output_;
};

}  // namespace tektii::cli
