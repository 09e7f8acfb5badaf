#include "cli/images/image_places.hpp"

#include "cli/terminal_sink.hpp"
#include <tektii/layer/archive.hpp>
#include <tektii/store/layout_content.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <utility>

namespace tektii::cli {
namespace {

namespace fs = std::filesystem;

using Transport = ImageName::Transport;

registry::RegistryDeps client_deps(RegistryAccess& registries, const TransferFlags& transfer, Terminal& terminal) {
  auto deps = registries.deps();
  deps.transfer = read_transfer_options(transfer);
  deps.on_wait = [&terminal](const registry::WaitNotice& notice) {
    if (const auto text = describe_wait(notice); !text.empty()) terminal.info(text);
  };
  deps.on_warning = [&terminal](const std::string& registry, const std::string& text) {
    terminal.warning(fmt::format("registry {} says: {}", registry, escape_control(text)));
  };
  return deps;
}

void require_directory_of(const fs::path& file) {
  std::error_code failure;
  if (fs::is_directory(file.parent_path(), failure)) return;
  throw Error(ErrorKind::usage,
              fmt::format("{}: there is no directory {}", file.string(), file.parent_path().string()));
}

}  // namespace

ImagePlaces::ImagePlaces(CommandContext& context, const RegistryFlags& registries, const TransferFlags& transfer)
    : context_(context), registries_(registries), client_(client_deps(registries_, transfer, context.terminal)) {}

const fs::path& ImagePlaces::scratch() {
  if (!scratch_) scratch_.emplace();
  return scratch_->path();
}

std::unique_ptr<oci::ContentSource> ImagePlaces::source(const ImageName& name, const std::stop_token& stop) {
  if (!name.is_registry() && name.is_standard_output()) {
    throw Error(ErrorKind::usage, "an image can't be read from standard input: its parts are needed in another order")
        .add_hint("write it to a file first");
  }
  switch (name.transport) {
    case Transport::registry:
      return client_.content(*name.reference);
    case Transport::oci:
      return store::open_layout_content(name.path, name.tag);
    case Transport::oci_archive:
      return layer::open_oci_archive(name.path, name.tag, scratch(), stop);
    case Transport::docker_archive:
      break;
  }
  const auto reference = name.reference ? std::optional(name.reference->str()) : std::nullopt;
  return layer::open_docker_archive(name.path, reference, scratch(), stop);
}

std::unique_ptr<oci::ContentTarget> ImagePlaces::target(const ImageName& name,
                                                        const std::optional<oci::ImageReference>& called) {
  if (name.is_registry()) return client_.content_target(*name.reference);
  if (oci::Digest::is_valid(name.tag)) {
    throw Error(ErrorKind::usage, fmt::format("{}: a destination is named by a tag, not by a digest", name.str()));
  }
  if (name.transport != Transport::oci) return archive_target(name, called);
  if (name.is_standard_output()) {
    throw Error(ErrorKind::usage, "a layout is a directory and can't go to standard output")
        .add_hint("use oci-archive:- or docker-archive:-");
  }
  store::LayoutName entry{name.tag, {}};
  if (name.tag.empty() && called) entry = {called->tag, called->tag.empty() ? "" : called->str()};
  return store::open_layout_content_target(name.path, {entry});
}

std::unique_ptr<oci::ContentTarget> ImagePlaces::archive_target(const ImageName& name,
                                                                const std::optional<oci::ImageReference>& called) {
  layer::ArchiveOptions options;
  if (name.transport == Transport::docker_archive) options.format = layer::ArchiveFormat::docker;
  if (name.reference) {
    options.names = {name.reference->str()};
  } else if (name.tag.find('/') != std::string::npos) {
    options.names = {oci::ImageReference::parse(name.tag).str()};
  } else if (!name.tag.empty()) {
    options.tag = name.tag;
  } else if (called && !called->tag.empty()) {
    auto reference = *called;
    reference.digest.reset();
    options.names = {reference.str()};
  }
  if (!name.is_standard_output()) {
    require_directory_of(name.path);
    return layer::open_archive_target(name.path, options);
  }
  if (context_.terminal.traits().out_is_tty) {
    throw Error(ErrorKind::usage, "an archive is not written to a terminal").add_hint("redirect standard output");
  }
  standard_output_ = std::make_unique<TerminalSink>(context_.terminal);
  return layer::open_archive_stream(*standard_output_, options, scratch());
}

}  // namespace tektii::cli
