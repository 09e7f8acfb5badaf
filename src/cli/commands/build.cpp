#include "cli/commands/build.hpp"

#include "cli/build/call_text.hpp"
#include "cli/build/driver.hpp"
#include "cli/build/healing.hpp"
#include "cli/commands/build_call.hpp"
#include "cli/exit_code.hpp"
#include <tektii/registry/cloud.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace tektii::cli {

namespace {

std::vector<oci::ImageReference> parse_tags(const std::vector<std::string>& tags) {
  std::vector<oci::ImageReference> references;
  for (const auto& tag : tags) {
    auto reference = oci::ImageReference::parse(tag);
    if (reference.digest) {
      throw Error(ErrorKind::usage, fmt::format("--tag {}: a tag can't hold a digest", tag));
    }
    references.push_back(std::move(reference));
  }
  return references;
}

// Elsewhere a push creates the repository, or nobody but the registry's owner can.
void check_creatable(const BuildOptions& options, const std::vector<oci::ImageReference>& references) {
  if (!options.push)
    throw Error(ErrorKind::usage, "--create-repository is for images that are pushed").add_hint("add --push");
  for (const auto& reference : references) {
    if (registry::is_ecr_registry(reference.registry)) continue;
    throw Error(ErrorKind::usage,
                fmt::format("--create-repository: {} is not a registry of Amazon ECR", reference.registry))
        .add_hint(
            "other registries create a repository with its first push, or want it to be created in their own way");
  }
}

// The keys of buildx's --metadata-file.
std::string metadata_json(const builder::BuildResult& result, const std::vector<std::string>& names) {
  const auto& image = result.image;
  nlohmann::ordered_json json = {
      {"containerimage.config.digest", image.config.digest.str()},
      {"containerimage.descriptor",
       {{"mediaType", result.root().media_type}, {"digest", result.root().digest.str()}, {"size", result.root().size}}},
      {"containerimage.digest", result.root().digest.str()}};
  if (!names.empty()) {
    std::string joined;
    for (const auto& name : names) joined += (joined.empty() ? "" : ",") + name;
    json["image.name"] = joined;
  }
  return json.dump(2) + "\n";
}

}  // namespace

namespace {

void add_attest_options(CLI::App& build, AttestOptions& options) {
  build
      .add_option("--attest", options.attests,
                  "Attestation beside the image, repeatable: type=provenance[,mode=min|max][,version=v1|v0.2]"
                  "[,builder-id=ID][,reproducible=BOOL] or type=sbom; both take oci-artifact=BOOL")
      ->allow_extra_args(false);
  build.add_flag("--provenance{true}", options.provenance,
                 "Short for --attest type=provenance; --provenance=mode=min and the like");
  build.add_flag("--sbom{true}", options.sbom, "Short for --attest type=sbom: the packages of the image as SPDX");
}

}  // namespace

void add_build_options(CLI::App& command, BuildOptions& options) {
  command.add_option("--build-arg", options.build_args, "Value for an ARG, NAME=VALUE or NAME from the environment")
      ->allow_extra_args(false);
  command
      .add_option(
          "--build-context", options.build_contexts,
          "What a name of FROM or --from stands for: NAME=DIR, oci-layout://DIR[:TAG|@DIGEST], "
          "oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], docker-image://NAME, a git repository or the URL "
          "of a tar archive")
      ->allow_extra_args(false);
  command.add_option("--label", options.labels, "Label of the image, NAME=VALUE, over those of the Dockerfile")
      ->allow_extra_args(false);
  command
      .add_option("--annotation", options.annotations,
                  "Annotation of the manifest, KEY=VALUE, or LEVEL:KEY=VALUE with the level manifest, index, "
                  "manifest-descriptor or index-descriptor")
      ->allow_extra_args(false);
  command.add_flag_callback(
      "--no-base-annotations", [&options] { options.base_annotations = false; },
      "Do not annotate the manifest with the name and digest of the base image");
  command.add_option("-j,--jobs", options.jobs, "Stages that are built at once [default: one per processor]");
  command.add_option("--target", options.target, "Stage to build [default: the last]");
  command.add_flag("--no-cache", options.no_cache, "Run every step, also if its inputs did not change");
  command.add_flag_callback(
      "--no-early-push", [&options] { options.early_push = false; },
      "Push layers when the image is finished, none while steps run");
  command.add_option("--progress", options.progress, "auto, tty, plain, json or quiet")->capture_default_str();
  command.add_option("--compression", options.compression, "Of layers: gzip[:1-12] or zstd[:1-19]")
      ->capture_default_str();
  command.add_option("--timestamps", options.timestamps,
                     "Times of files: preserve, or seconds since 1970 [default: SOURCE_DATE_EPOCH, else 1980-01-01]");
  command.add_flag("--locked", options.locked,
                   "Take bases and remote files of ADD as the lock file says, and no others");
  command.add_option("--lock-file", options.lock_file, "Of --locked [default: tektii.lock beside the Dockerfile]");
  add_cache_options(command, options.caches);
  add_transfer_options(command, options.transfer);
  add_run_options(command, options.run);
  add_registry_options(command, options.registries);
  command.add_flag("--preserve-modes", options.preserve_modes,
                   "Keep permission bits of context files instead of 0644 and 0755");
}

void set_display(BuildOptions& options, const CommandContext& context) {
  options.summary = context.globals.verbosity > 0;
  if (context.terminal.quiet()) options.progress = "quiet";
  if (options.progress == "auto" && options.summary) options.progress = "plain";
}

void print_summary(BuildDriver& driver, Terminal& terminal) {
  driver.settle();
  if (const auto summary = driver.summary(); !summary.empty()) terminal.line(summary);
}

void print_warnings(const builder::BuildResult& result, Terminal& terminal) {
  if (!result.lint_warnings.empty()) terminal.line(warnings_summary(result.lint_warnings));
  for (const auto& warning : result.warnings) terminal.warning(warning);
}

void setup_build(CLI::App& root, CommandContext& context) {
  CLI::App* build = root.add_subcommand("build", "Build a linux/amd64 image from a Dockerfile");
  auto options = std::make_shared<BuildOptions>();
  build
      ->add_option("CONTEXT", options->context,
                   "What COPY reads from: a directory, a git repository (URL#REF:SUBDIR), the URL of a tar archive or "
                   "Dockerfile, or - for one of these on standard input")
      ->required();
  build->add_option(
      "-f,--file", options->file,
      "Dockerfile: a path (in the context, unless that is a directory), a URL or - [default: CONTEXT/Dockerfile]");
  build->add_option("-t,--tag", options->tags, "Name of the image, repeatable")->allow_extra_args(false);
  build->add_flag("--push", options->push, "Push the image to the registry of each tag");
  build
      ->add_option("-o,--output", options->outputs,
                   "type=oci,dest=DIR, type=oci,dest=FILE.tar (with oci-artifact=BOOL) or type=docker,dest=FILE for "
                   "docker load; dest=- is standard "
                   "output. Repeatable; with --check or --call: table or json")
      ->allow_extra_args(false);
  build->add_flag("--create-repository", options->create_repository,
                  "With --push to Amazon ECR: create the repository when it is not there");
  add_attest_options(*build, options->attest);
  build->add_option("--platform", options->platform, "linux/amd64 is the only one")->capture_default_str();
  build->add_option("--iidfile", options->iid_file, "Write the image id (the digest of the config) to this file");
  build->add_option("--metadata-file", options->metadata_file, "Write the digests as JSON to this file");
  add_build_options(*build, *options);
  auto call_options = std::make_shared<CallOptions>();
  add_check_options(*build, *call_options);
  context.on_selected(*build, [options, call_options, &context] {
    const Call call = parse_call(*call_options, *options, context.globals);
    return call.method == Call::Method::build ? run_build(*options, context) : run_call(call, *options, context);
  });
}

int run_build(const BuildOptions& given, CommandContext& context) {
  BuildOptions options = given;
  set_display(options, context);
  const auto references = parse_tags(options.tags);
  if (options.push && references.empty()) {
    throw Error(ErrorKind::usage, "--push needs a name to push to").add_hint("add --tag REGISTRY/NAME:TAG");
  }
  if (options.create_repository) check_creatable(options, references);
  BuildDriver driver(options);
  const auto stop = context.stop();
  if (options.create_repository) driver.create_repositories(references, stop);
  std::vector<std::string> names;
  for (const auto& reference : references) names.push_back(reference.str());
  std::vector<std::string> cache_warnings;
  const auto result = with_healing(context.terminal, [&] {
    auto built = options.push ? driver.build_for_push(references, stop) : driver.build(stop);
    driver.write_outputs(built, references, stop);
    if (options.push) driver.push(built, references, stop);
    const auto pushed = options.push ? references : std::vector<oci::ImageReference>{};
    cache_warnings = driver.export_caches(built, pushed, stop);
    if (!options.push && options.outputs.empty()) driver.keep_in_store(built, references, stop);
    return built;
  });
  print_summary(driver, context.terminal);
  print_warnings(result, context.terminal);
  for (const auto& warning : cache_warnings) context.terminal.warning(warning);
  if (!options.push && options.outputs.empty()) {
    context.terminal.warning(references.empty()
                                 ? "No output was asked for: the result stays in the cache. Add --push or --output"
                                 : "No output was asked for: the image stays in the store. Add --push or --output");
  }
  const auto& digest = result.root().digest.str();
  if (driver.writes_standard_output()) {
    context.terminal.info(digest);
  } else {
    context.terminal.result(digest + "\n");
  }
  if (!options.iid_file.empty()) write_file_atomic(options.iid_file, result.image.config.digest.str());
  if (!options.metadata_file.empty()) write_file_atomic(options.metadata_file, metadata_json(result, names));
  driver.collect_garbage(stop);
  return k_exit_ok;
}

}  // namespace tektii::cli
