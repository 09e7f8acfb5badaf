#pragma once

#include "cli/context.hpp"
#include <tektii/oci/digest.hpp>
#include <tektii/oci/reference.hpp>
#include <tektii/registry/credentials.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace tektii::cli {

// What `version upload` found out before anything is built.
struct UploadInputs {
  std::filesystem::path context;     // as given; exists and is a directory
  std::filesystem::path dockerfile;  // as given, relative to the working directory; exists
  std::string git_sha;               // 7 hex characters or "ts-<unix seconds>": the revision annotation
};

enum class UploadPhase { verifying, pushing };

// Seam: makes the image of a version and brings it to the registry. The calls come in this order, once each.
class ImageBuilder {
 public:
  virtual ~ImageBuilder() = default;
  // Adds the options of its own (--build-arg, --target, ...) to `version upload`.
  virtual void add_options(CLI::App& command) = 0;
  // Everything that can be checked before the version exists: the Dockerfile, COPY sources, bases, RUN. Called while
  // the process has one thread, before CommandContext::stop() and transport() were used, so it may enter namespaces; it
  // may use them afterwards.
  virtual void prepare(const UploadInputs& inputs) = 0;
  // Builds and pushes; returns the digest of the manifest. `on_phase` is to be called when the built image is checked
  // for its platform and then when the rest of it is pushed: it prints the documented lines.
  virtual oci::Digest build_and_push(const oci::ImageReference& reference, const registry::Credentials& credentials,
                                     const std::function<void(UploadPhase)>& on_phase) = 0;
};

std::unique_ptr<ImageBuilder> make_image_builder(CommandContext& context);

}  // namespace tektii::cli
