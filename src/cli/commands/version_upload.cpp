#include "cli/commands/version_upload.hpp"

#include "cli/build/context/shown.hpp"
#include "cli/exit_code.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/process.hpp>
#include <tektii/util/text.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <utility>
#include <vector>

namespace tektii::cli {

namespace {

namespace fs = std::filesystem;

UploadInputs validate(const VersionUploadOptions& options) {
  std::error_code ignored;
  if (!fs::is_directory(options.context, ignored)) {
    throw Error(ErrorKind::usage, fmt::format("the context {} is not a directory", shown_context(options.context)))
        .add_hint("use --context to name the directory of the strategy");
  }
  UploadInputs inputs;
  inputs.context = options.context;
  inputs.dockerfile = options.dockerfile.empty() ? inputs.context / "Dockerfile" : fs::path(options.dockerfile);
  if (!fs::is_regular_file(inputs.dockerfile, ignored)) {
    throw Error(ErrorKind::usage, fmt::format("Dockerfile not found at {}", inputs.dockerfile.string()))
        .add_hint("use --dockerfile to name another file; it is relative to the working directory");
  }
  return inputs;
}

std::string find_git_sha(const VersionUploadOptions& options, const VersionUploadDeps& deps) {
  if (!options.git_sha.empty()) return normalise_git_sha(options.git_sha);
  const GitSha sha = detect_git_sha(options.context, deps.run_process, deps.context.clock);
  if (!sha.detected) {
    deps.context.terminal.warning("Failed to detect git SHA, using timestamp fallback");
    const std::string reason = sha.reason.substr(0, sha.reason.find('\n'));
    if (!reason.empty()) deps.context.terminal.line("  " + escape_control(reason));
  }
  return sha.text;
}

api::VersionUpload create_version(const VersionUploadOptions& options, const std::string& git_sha,
                                  CommandContext& context, api::Client& client) {
  context.terminal.line("Creating version in API...");
  const api::VersionRequest request{git_sha, options.parent, options.template_name};
  api::VersionUpload upload = client.create_version(options.strategy, request, context.stop()).value;
  context.terminal.success("Created version: " + escape_control(upload.version_id));
  return upload;
}

oci::Digest build_and_push(const api::VersionUpload& upload, const oci::ImageReference& reference,
                           const VersionUploadDeps& deps) {
  Terminal& terminal = deps.context.terminal;
  terminal.line(fmt::format("Building image {} ...", reference.str()));
  registry::Credentials credentials;
  credentials.username = api::k_registry_user;
  credentials.password = upload.access_token;
  return deps.builder.build_and_push(reference, credentials, [&](UploadPhase phase) {
    terminal.line(phase == UploadPhase::verifying ? "Verifying image platform..."
                                                  : fmt::format("Pushing image to {} ...", reference.str()));
  });
}

// The answer of the API is not printed here: it holds the access token.
void print_summary(CommandContext& context, const std::string& version_id, const std::string& git_sha,
                   const std::string& image) {
  if (context.globals.json()) {
    nlohmann::ordered_json summary = {{"versionId", version_id}};
    if (!git_sha.empty()) summary["gitSha"] = git_sha;
    if (!image.empty()) summary["image"] = image;
    context.terminal.success("Version uploaded successfully!");
    return context.terminal.result(summary.dump() + "\n");
  }
  std::string lines = fmt::format("  Version ID: {}\n", escape_control(version_id));
  if (!git_sha.empty()) lines += fmt::format("  Git SHA: {}\n", git_sha);
  if (!image.empty()) lines += fmt::format("  Image: {}\n", image);
  context.terminal.line("");
  context.terminal.success("Version uploaded successfully!\n");
  context.terminal.result(lines);
  context.terminal.line("\n  Use this version ID when creating scenarios");
}

int upload_template(const VersionUploadOptions& options, CommandContext& context) {
  context.terminal.line("Validating inputs...");
  const std::string git_sha = options.git_sha.empty() ? std::string() : normalise_git_sha(options.git_sha);
  api::Client client = context.api_client();
  const api::VersionUpload upload = create_version(options, git_sha, context, client);
  print_summary(context, upload.version_id, git_sha, {});
  return k_exit_ok;
}

// A template makes no image, so what was said about one would be lost.
void refuse_image_options(const std::vector<const CLI::Option*>& options) {
  std::vector<std::string> given;
  for (const CLI::Option* option : options) {
    if (option->count() > 0) given.push_back(option->get_name());
  }
  if (given.empty()) return;
  throw Error(ErrorKind::usage, fmt::format("--template excludes {}", join(given, ", ")))
      .add_hint("a version from a template has no image of its own: leave out the options of the build");
}

}  // namespace

void setup_version_upload(CLI::App& version, CommandContext& context, std::shared_ptr<ImageBuilder> builder) {
  CLI::App* upload = version.add_subcommand("upload", "Build the image of a strategy, push it and register it");
  auto options = std::make_shared<VersionUploadOptions>();
  upload->add_option("STRATEGY", options->strategy, "Id of the strategy")->required();
  std::vector<const CLI::Option*> image_options;
  image_options.push_back(
      upload->add_option("--dockerfile", options->dockerfile,
                         "Dockerfile, relative to the working directory [default: CONTEXT/Dockerfile]"));
  image_options.push_back(
      upload->add_option("--context", options->context, "Directory that is built")->capture_default_str());
  upload->add_option("--git-sha", options->git_sha, "Commit of the version [default: HEAD of the context]");
  upload->add_option("--parent", options->parent, "Id of the version that this one comes from");
  upload->add_option("--template", options->template_name,
                     "Make the version from a platform template, without a build");
  const std::size_t own_options = upload->get_options().size();
  builder->add_options(*upload);
  const std::vector<CLI::Option*> all = upload->get_options();
  image_options.insert(image_options.end(), all.begin() + static_cast<std::ptrdiff_t>(own_options), all.end());
  context.on_selected(*upload, [options, &context, image_options, builder = std::move(builder)] {
    if (!options->template_name.empty()) refuse_image_options(image_options);
    const auto run_git = [](const std::vector<std::string>& argv) { return run_process(argv); };
    return run_version_upload(*options, {context, *builder, run_git});
  });
}

int run_version_upload(const VersionUploadOptions& options, VersionUploadDeps deps) {
  CommandContext& context = deps.context;
  if (!options.template_name.empty()) return upload_template(options, context);

  context.terminal.line("Validating inputs...");
  UploadInputs inputs = validate(options);
  inputs.git_sha = find_git_sha(options, deps);
  context.terminal.info("Detected version: " + inputs.git_sha);
  context.require_api_key();
  // Before the client, which may start threads.
  deps.builder.prepare(inputs);
  api::Client client = context.api_client();

  const api::VersionUpload upload = create_version(options, inputs.git_sha, context, client);
  try {
    const oci::ImageReference reference = api::upload_reference(upload);
    const oci::Digest digest = build_and_push(upload, reference, deps);
    if (!client.confirm_version(options.strategy, upload.version_id, context.stop())) {
      spdlog::debug("the platform knows no confirmation of versions");
    }
    print_summary(context, upload.version_id, inputs.git_sha, fmt::format("{}@{}", reference.str(), digest.str()));
  } catch (Error& error) {
    error.add_hint(
        fmt::format("version {} was created on the platform, but its upload is not complete; uploading "
                    "again makes a new version",
                    upload.version_id));
    throw;
  }
  return k_exit_ok;
}

}  // namespace tektii::cli
