#include "cli/commands/inspect.hpp"

#include "cli/exit_code.hpp"
#include "cli/images/image_places.hpp"
#include "cli/images/inspect_view.hpp"
#include <tektii/oci/media_type.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <utility>

namespace tektii::cli {
namespace {

constexpr std::size_t k_max_config = 4U << 20;

std::string read_config(oci::ContentSource& source, const oci::Descriptor& config, const std::stop_token& stop) {
  if (config.size > k_max_config) {
    throw Error(ErrorKind::failure, fmt::format("the image's config of {} is too large", format_bytes(config.size)));
  }
  StringSink bytes(k_max_config);
  source.fetch(config, bytes, stop);
  return bytes.take();
}

InspectedImage inspect(oci::ContentSource& source, std::string name, oci::Document top, const oci::Platform& platform,
                       const std::stop_token& stop) {
  std::optional<oci::Index> index;
  if (oci::is_index(top.descriptor.media_type)) index = oci::Index::parse(top.bytes);
  auto manifest = oci::select_platform(source, top, platform, stop);
  auto parsed = oci::Manifest::parse(manifest.bytes);
  auto config_bytes = read_config(source, parsed.config, stop);
  std::optional<oci::ImageConfig> config;
  if (oci::to_oci_media_type(parsed.config.media_type) == oci::k_media_config) {
    config = oci::ImageConfig::parse(config_bytes);
  }
  return {std::move(name),   std::move(top),          std::move(index), std::move(manifest),
          std::move(parsed), std::move(config_bytes), std::move(config)};
}

}  // namespace

void setup_image_queries(CLI::App& root, CommandContext& context) {
  CLI::App* inspect = root.add_subcommand("inspect", "Show what an image is, without fetching its layers");
  auto options = std::make_shared<InspectOptions>();
  inspect
      ->add_option("IMAGE", options->image,
                   "A name in a registry, oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:REFERENCE]")
      ->required();
  auto* raw = inspect->add_flag("--raw", options->raw, "Print the manifest or index, the exact bytes");
  auto* config = inspect->add_flag("--config", options->config, "Print the config, the exact bytes")->excludes(raw);
  inspect->add_flag("--layers", options->layers, "List the layers")->excludes(raw)->excludes(config);
  inspect->add_option("--platform", options->platform,
                      "The platform to take of an index, for --raw too [default: linux/amd64]");
  add_registry_options(*inspect, options->registries);
  add_retry_option(*inspect, options->transfer);
  context.on_selected(*inspect, [options, &context] { return run_inspect(*options, context); });

  CLI::App* tags = root.add_subcommand("tags", "List the tags of a repository");
  auto tags_options = std::make_shared<TagsOptions>();
  tags->add_option("REPOSITORY", tags_options->repository, "Name in a registry; a tag in it is left out of account")
      ->required();
  tags->add_option("--limit", tags_options->limit, "At most this many, in the registry's order")
      ->check(CLI::Range(1, 1000000));
  add_registry_options(*tags, tags_options->registries);
  add_retry_option(*tags, tags_options->transfer);
  context.on_selected(*tags, [tags_options, &context] { return run_tags(*tags_options, context); });
}

int run_inspect(const InspectOptions& options, CommandContext& context) {
  const auto name = parse_image_name(options.image);
  const auto platform = oci::Platform::parse(options.platform.empty() ? "linux/amd64" : options.platform);
  ImagePlaces places(context, options.registries, options.transfer);
  const auto stop = context.stop();
  const auto source = places.source(name, stop);
  auto top = source->read_top(stop);
  if (options.raw) {
    if (!options.platform.empty()) top = oci::select_platform(*source, std::move(top), platform, stop);
    context.terminal.result(top.bytes);
    return k_exit_ok;
  }
  const auto image = inspect(*source, name.str(), std::move(top), platform, stop);
  if (options.config) {
    context.terminal.result(image.config_bytes);
  } else if (options.layers) {
    context.print_result(layers_json(image), layers_text(image));
  } else {
    context.print_result(inspect_json(image), inspect_text(image));
  }
  return k_exit_ok;
}

int run_tags(const TagsOptions& options, CommandContext& context) {
  const auto name = parse_image_name(options.repository);
  if (!name.is_registry()) {
    throw Error(ErrorKind::usage, fmt::format("{} is no registry", options.repository))
        .add_hint("tektii inspect lists the tags of a layout when it is given none that is there");
  }
  ImagePlaces places(context, options.registries, options.transfer);
  const auto tags = places.client().tags(*name.reference, options.limit, context.stop());
  std::string text;
  for (const auto& tag : tags) text += escape_control(tag) + "\n";
  const nlohmann::ordered_json json = {{"name", name.reference->repository_str()}, {"tags", tags}};
  context.print_result(json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace), text);
  return k_exit_ok;
}

}  // namespace tektii::cli
