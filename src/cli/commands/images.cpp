#include "cli/commands/images.hpp"

#include "cli/exit_code.hpp"
#include "cli/images/copy_image.hpp"
#include "cli/images/image_places.hpp"
#include "cli/progress/progress.hpp"
#include <tektii/layer/archive.hpp>
#include <tektii/oci/platform.hpp>
#include <tektii/store/layout_content.hpp>
#include <tektii/store/store.hpp>
#include <tektii/util/error.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include <memory>

namespace tektii::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_names =
    "Images are named by\n"
    "  [docker://]REFERENCE             a registry, the default: ghcr.io/me/app:1\n"
    "  oci:DIR[:TAG|@DIGEST]            an OCI image layout; also oci-layout://DIR[:TAG|@DIGEST]\n"
    "  oci-archive:FILE[:TAG]           a tar of such a layout\n"
    "  docker-archive:FILE[:REFERENCE]  what docker save writes and docker load reads\n"
    "A FILE that is written may be -, standard output.";

struct Ends {
  ImageName from;
  ImageName to;
  std::optional<oci::ImageReference> called;  // the name in a file that names none itself
};

// Prints the digest of what the destination has; where that is standard output itself, for the eye.
int transfer(oci::ContentSource& source, oci::ContentTarget& target, const Ends& ends,
             const CopyCommandOptions& options, const std::string& verb, CommandContext& context) {
  const auto stop = context.stop();
  CopyOptions copy;
  copy.verb = verb;
  copy.platform = options.all ? std::nullopt : std::optional(oci::Platform::parse(options.platform));
  const bool to_output = !ends.to.is_registry() && ends.to.is_standard_output();
  if (to_output) copy.transfers = 1;
  if (!ends.to.is_registry()) {
    copy.activity = ends.from.is_registry() ? builder::Activity::download : builder::Activity::write_output;
  }
  const auto mode = context.terminal.quiet() ? ProgressMode::quiet : parse_progress_mode(options.progress);
  auto renderer = make_progress(mode);
  Copied copied{{"", oci::Digest::of_bytes(""), 0}, false};
  {
    builder::ProgressStep step(*renderer.sink, fmt::format("{} {} to {}", verb, ends.from.str(), ends.to.str()),
                               [stop] { return stop.stop_requested(); });
    step.begin(copy.activity);
    copied = copy_image(source, target, copy, *renderer.sink, stop);
    step.finish(copied.was_there ? builder::StepOutcome::cached : builder::StepOutcome::done);
  }
  renderer.settle();
  const auto& digest = copied.top.digest.str();
  if (to_output) {
    context.terminal.info(digest);
  } else {
    context.terminal.result(digest + "\n");
  }
  return k_exit_ok;
}

void add_copy_options(CLI::App& command, CopyCommandOptions& options) {
  auto* all = command.add_flag("-a,--all", options.all, "Every platform of an index, and the index itself");
  command.add_option("--platform", options.platform, "The platform to take of an index")
      ->capture_default_str()
      ->excludes(all);
  command.add_option("--progress", options.progress, "auto, tty, plain, json or quiet")->capture_default_str();
  add_registry_options(command, options.registries);
}

// A path that exists and can't be a reference any more than it is a path.
std::optional<ImageName> path_of_image(const std::string& text, ImagePlaces& places, const std::stop_token& stop) {
  std::error_code failure;
  const auto status = fs::status(text, failure);
  ImageName name;
  name.path = fs::absolute(text).lexically_normal();
  if (fs::is_directory(status)) {
    if (!fs::exists(name.path / "oci-layout", failure)) return std::nullopt;
    name.transport = ImageName::Transport::oci;
    return name;
  }
  if (!fs::is_regular_file(status)) return std::nullopt;
  const auto format = layer::detect_archive(name.path, places.scratch(), stop);
  if (!format) throw Error(ErrorKind::usage, fmt::format("{} is neither an oci-archive nor a docker-archive", text));
  name.transport =
      *format == layer::ArchiveFormat::oci ? ImageName::Transport::oci_archive : ImageName::Transport::docker_archive;
  return name;
}

// An image that a build has left in the store: its whole name is its tag there.
std::unique_ptr<oci::ContentSource> stored_image(const store::Store& store, const oci::ImageReference& reference) {
  const auto name = reference.digest ? reference.digest->str() : reference.str();
  auto content = store::open_layout_content(store.root(), name);
  try {
    content->read_top({});
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::usage) throw;
    throw Error(ErrorKind::usage, fmt::format("the store has no image {}", reference.str()))
        .add_hint("build it with --tag and without --output; to move an image of a registry use 'tektii copy'");
  }
  return content;
}

}  // namespace

void setup_image_transfers(CLI::App& root, CommandContext& context) {
  CLI::App* push = root.add_subcommand("push", "Push an image of the store, a layout or an archive to a registry");
  auto push_options = std::make_shared<CopyCommandOptions>();
  push->add_option("SRC", push_options->source,
                   "The name of an image that a build has left in the store, or oci:DIR[:TAG], oci-archive:FILE[:TAG], "
                   "docker-archive:FILE[:REFERENCE], or the path of one of these")
      ->required();
  push->add_option("DST", push_options->destination, "REGISTRY/NAME:TAG [default: the name of SRC]");
  add_copy_options(*push, *push_options);
  add_transfer_options(*push, push_options->transfer);
  context.on_selected(*push, [push_options, &context] { return run_push(*push_options, context); });

  CLI::App* pull = root.add_subcommand("pull", "Fetch an image from a registry into a directory or a file");
  auto pull_options = std::make_shared<CopyCommandOptions>();
  pull->add_option("REF", pull_options->source, "Name of the image")->required();
  pull->add_option("-o,--output", pull_options->destination,
                   "A directory becomes an OCI layout, FILE.tar an archive, - an archive on standard output")
      ->required();
  pull->add_option("--format", pull_options->format, "Of an archive: oci, or docker as docker load reads it")
      ->capture_default_str();
  add_copy_options(*pull, *pull_options);
  add_retry_option(*pull, pull_options->transfer);
  context.on_selected(*pull, [pull_options, &context] { return run_pull(*pull_options, context); });

  CLI::App* copy = root.add_subcommand("copy", "Copy an image between registries, layouts and archives");
  auto copy_options = std::make_shared<CopyCommandOptions>();
  copy->add_option("SRC", copy_options->source, "Where the image is")->required();
  copy->add_option("DST", copy_options->destination, "Where it goes")->required();
  add_copy_options(*copy, *copy_options);
  add_transfer_options(*copy, copy_options->transfer);
  copy->footer(k_names);
  context.on_selected(*copy, [copy_options, &context] { return run_copy(*copy_options, context); });
}

int run_copy(const CopyCommandOptions& options, CommandContext& context) {
  const Ends ends{parse_image_name(options.source), parse_image_name(options.destination), std::nullopt};
  ImagePlaces places(context, options.registries, options.transfer);
  const auto source = places.source(ends.from, context.stop());
  const auto target = places.target(ends.to);
  return transfer(*source, *target, ends, options, "copy", context);
}

int run_pull(const CopyCommandOptions& options, CommandContext& context) {
  Ends ends{parse_image_name(options.source), {}, std::nullopt};
  ends.called = ends.from.reference;
  const bool is_docker = options.format == "docker";
  if (!is_docker && options.format != "oci") {
    throw Error(ErrorKind::usage, fmt::format("--format {}: there is no such format", options.format))
        .add_hint("there are oci and docker");
  }
  const bool is_archive = options.destination == "-" || options.destination.ends_with(".tar");
  if (is_docker && !is_archive) {
    throw Error(ErrorKind::usage, "--format docker is for an archive: the name of the output must end in .tar");
  }
  ends.to.path = options.destination == "-" ? fs::path("-") : fs::absolute(options.destination).lexically_normal();
  ends.to.transport = is_docker    ? ImageName::Transport::docker_archive
                      : is_archive ? ImageName::Transport::oci_archive
                                   : ImageName::Transport::oci;
  ImagePlaces places(context, options.registries, options.transfer);
  const auto source = places.source(ends.from, context.stop());
  const auto target = places.target(ends.to, ends.called);
  return transfer(*source, *target, ends, options, "pull", context);
}

int run_push(const CopyCommandOptions& options, CommandContext& context) {
  ImagePlaces places(context, options.registries, options.transfer);
  std::optional<store::Store> store;
  std::unique_ptr<oci::ContentSource> source;
  Ends ends;
  const auto from_path =
      has_transport(options.source) ? std::nullopt : path_of_image(options.source, places, context.stop());
  ends.from = from_path ? *from_path : parse_image_name(options.source);
  if (options.source.starts_with("docker://")) {
    throw Error(ErrorKind::usage, "push takes an image of this machine")
        .add_hint("use 'tektii copy' between registries");
  }
  if (ends.from.is_registry()) {
    store.emplace(store::Store::default_root());
    source = stored_image(*store, *ends.from.reference);
  } else {
    source = places.source(ends.from, context.stop());
  }
  if (!options.destination.empty()) {
    ends.to = parse_image_name(options.destination);
  } else if (ends.from.reference && !ends.from.reference->tag.empty()) {
    ends.to.reference = ends.from.reference;
  } else {
    throw Error(ErrorKind::usage, "where to push to is missing").add_hint("add REGISTRY/NAME:TAG");
  }
  if (!ends.to.is_registry()) {
    throw Error(ErrorKind::usage, fmt::format("{} is no registry", options.destination)).add_hint("use 'tektii copy'");
  }
  const auto target = places.target(ends.to);
  return transfer(*source, *target, ends, options, "push", context);
}

}  // namespace tektii::cli
