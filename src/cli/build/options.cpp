#include "options.hpp"

#include "annotations.hpp"
#include "context/dockerfile.hpp"
#include "context/named.hpp"
#include "named_epoch.hpp"
#include "output_file.hpp"
#include "source_date.hpp"
#include <tektii/builder/sources.hpp>
#include <tektii/dockerfile/instruction.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/go_text.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace tektii::cli {
namespace {

namespace fs = std::filesystem;

void read_build_args(const std::vector<std::string>& given, builder::BuildRequest& request) {
  for (const auto& arg : given) {
    const auto equals = arg.find('=');
    const auto name = arg.substr(0, equals);
    if (name.empty()) throw Error(ErrorKind::usage, fmt::format("--build-arg {}: the name is missing", arg));
    if (equals != std::string::npos) {
      request.build_args[name] = arg.substr(equals + 1);
    } else if (const char* value = std::getenv(name.c_str())) {
      request.build_args[name] = value;  // docker: a bare name takes the value from the environment
    }
  }
}

// A switch among the build arguments: as in dockerui of BuildKit, what is no boolean is no.
bool is_on(const builder::BuildRequest& request, const std::string& name) {
  const auto found = request.build_args.find(name);
  return found != request.build_args.end() && parse_go_bool(found->second).value_or(false);
}

void read_labels(const std::vector<std::string>& given, builder::BuildRequest& request) {
  for (const auto& label : given) {
    const auto equals = label.find('=');
    const auto name = label.substr(0, equals);
    if (name.empty()) throw Error(ErrorKind::usage, fmt::format("--label {}: the name is missing", label));
    request.labels[name] = equals == std::string::npos ? std::string{} : label.substr(equals + 1);
  }
}

// What provenance says of the context: a URL or repository by itself, a directory of the user's own by its commit.
void describe_context(const std::string& given, const Context& context, builder::BuildRequest& request) {
  auto& attestations = request.attestations;
  if (!attestations.provenance) return;
  if (context.is_local) {
    attestations.revision = revision_of(context.directory);
  } else if (auto reference = dockerfile::parse_git_ref(given, true); context.is_commit && reference) {
    attestations.context_uri = builder::repository_key(*reference);
    if (!reference->subdir.empty()) attestations.context_uri += ":" + reference->subdir;
    attestations.context_commit = context.commit;
  } else if (given != "-") {
    attestations.context_uri = builder::file_key(given);
  }
}

struct ContextTimes {
  std::optional<std::int64_t> commit;  // dates the image
  std::optional<std::int64_t> any;     // what SOURCE_DATE_EPOCH=context means: also of a file or an archive
};

// Loads the context and reads what belongs to it.
ContextTimes read_context(const BuildOptions& options, ContextLoader& loader, builder::BuildRequest& request) {
  const DockerfileChoice choice{options.context, options.file, options.file_flag};
  check_choice(choice);
  const auto context = loader.load(options.context, request.secrets, is_on(request, "BUILDKIT_CONTEXT_KEEP_GIT_DIR"));
  request.context = context.directory;
  describe_context(options.context, context, request);
  read_dockerfile(choice, context, loader, request);
  const auto time = context.is_local ? local_commit_time(context.directory) : context.time;
  return {context.is_local || context.is_commit ? time : std::nullopt, time};
}

CompressionOptions parse_compression(const std::string& text) {
  CompressionOptions options;
  options.budget = std::make_shared<CompressionBudget>();  // of all layers of the build
  const auto colon = text.find(':');
  const auto name = text.substr(0, colon);
  if (name == "zstd") {
    options.type = Compression::zstd;
    options.level = 3;
  } else if (name != "gzip") {
    throw Error(ErrorKind::usage, fmt::format("unknown --compression {}", text))
        .add_hint("use gzip or zstd, with :LEVEL if you like");
  }
  if (colon == std::string::npos) return options;
  const auto level = parse_int(text.substr(colon + 1));
  const int highest = options.type == Compression::gzip ? 12 : 19;
  if (!level || *level < 1 || *level > highest) {
    throw Error(ErrorKind::usage, fmt::format("--compression {}: the level must be 1 to {}", text, highest));
  }
  options.level = static_cast<int>(*level);
  return options;
}

oci::Platform parse_platform(const std::string& text) {
  if (text.find(',') != std::string::npos) {
    throw Error(ErrorKind::platform_mismatch,
                fmt::format("--platform {} is not supported: tektii builds one platform, linux/amd64", text));
  }
  auto platform = oci::Platform::parse(text);
  if (platform == oci::Platform{}) return platform;
  throw Error(ErrorKind::platform_mismatch,
              fmt::format("--platform {} is not supported: tektii builds linux/amd64 only", text));
}

void take_annotations(const BuildOptions& options, BuildInputs& inputs) {
  auto& request = inputs.request;
  auto& attestations = request.attestations;
  attestations = parse_attestations(options.attest);
  for (const auto& output : inputs.outputs) {
    attestations.as_artifact = output.oci_artifact.value_or(attestations.as_artifact);
  }
  auto annotations = parse_annotations(options.annotations, request.platform);
  for (const auto& output : inputs.outputs) {
    if (!attestations.any() || output.kind != OutputSpec::Kind::docker_archive) continue;
    throw Error(ErrorKind::usage,
                "--output type=docker can't hold the attestations of --attest, --provenance or --sbom")
        .add_hint("use type=oci,dest=FILE.tar, or leave the attestations out");
  }
  require_places(annotations, {.has_index = attestations.any(), .has_layout = !inputs.outputs.empty()});
  request.annotations = std::move(annotations.manifest);
  request.descriptor_annotations = std::move(annotations.manifest_descriptor);
  attestations.index_annotations = std::move(annotations.index);
  attestations.index_descriptor_annotations = std::move(annotations.index_descriptor);
  request.base_annotations = options.base_annotations;
}

void take_lock(const BuildOptions& options, BuildInputs& inputs) {
  const auto path = lock_path(options);
  inputs.lock = read_lock_file(path);
  inputs.lock_name = path.filename().string();
  if (inputs.lock) return;
  throw Error(ErrorKind::usage, fmt::format("--locked: there is no {}", path.string()))
      .add_hint("tektii lock writes it");
}

bool may_run_commands(const dockerfile::Dockerfile& file) {
  for (const auto& stage : file.stages) {
    const bool any = std::any_of(stage.instructions.begin(), stage.instructions.end(), [](const auto& instruction) {
      return std::holds_alternative<dockerfile::Run>(instruction.body);
    });
    // What an image asks for in ONBUILD is known when it is looked up, which is too late to enter namespaces.
    if (any || stage.from_body().image != "scratch") return true;
  }
  return false;
}

}  // namespace

fs::path lock_path(const BuildOptions& options) {
  constexpr const char* k_name = "tektii.lock";
  if (!options.lock_file.empty()) return fs::absolute(options.lock_file);
  const bool is_url = options.file.starts_with("http://") || options.file.starts_with("https://");
  std::error_code failure;
  if (!fs::is_directory(options.context, failure) || options.file == "-" || is_url) {
    throw Error(ErrorKind::usage, "the Dockerfile is not a file of this machine, so no lock file is beside it")
        .add_hint("name the lock file with --lock-file");
  }
  if (options.file.empty()) return fs::absolute(fs::path(options.context) / k_name);
  return fs::absolute(options.file).parent_path() / k_name;
}

std::optional<LockFile> read_lock_file(const fs::path& path) {
  std::error_code failure;
  if (!fs::exists(path, failure) && !failure) return std::nullopt;
  return LockFile::parse(read_file(path), path.filename().string());
}

BuildInputs read_build_inputs(const BuildOptions& options, ContextLoader& loader) {
  BuildInputs inputs;
  auto& request = inputs.request;
  request.platform = parse_platform(options.platform);
  request.compression = parse_compression(options.compression);
  request.target = options.target;
  request.no_cache = options.no_cache;
  if (options.jobs < 0) throw Error(ErrorKind::usage, fmt::format("--jobs {}: it must be at least 1", options.jobs));
  request.jobs = options.jobs;
  request.preserve_modes = options.preserve_modes;
  request.preserve_timestamps = options.timestamps == "preserve";
  read_build_args(options.build_args, request);
  read_labels(options.labels, request);
  if (!options.iid_file.empty()) require_directory_of("--iidfile", options.iid_file);
  if (!options.metadata_file.empty()) require_directory_of("--metadata-file", options.metadata_file);
  for (const auto& output : options.outputs) inputs.outputs.push_back(parse_output(output));
  take_annotations(options, inputs);
  inputs.caches = read_cache_options(options.caches);
  request.inline_cache = inputs.caches.is_inline || is_on(request, "BUILDKIT_INLINE_CACHE");
  inputs.agents = read_run_options(options.run, request);
  if (options.locked) take_lock(options, inputs);
  // What may take time comes last, when nothing can be wrong with the options any more.
  const auto context_times = read_context(options, loader, request);
  request.named_contexts = read_named_contexts(options.build_contexts, loader, request.secrets);
  // A Dockerfile that can't be read is for the check to report.
  if (options.builds_nothing) return inputs;
  resolve_epoch_argument(request, context_times.any);
  if (auto& provenance = request.attestations.provenance; provenance && request.preserve_timestamps) {
    // Who wants the times of this build gets this one too.
    provenance->started =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  const auto times = find_build_times(options.timestamps, request.build_args, context_times.commit);
  request.source_date_epoch = times.files;
  request.created = times.created;
  inputs.may_run_commands =
      may_run_commands(dockerfile::parse_dockerfile(request.dockerfile_text, request.dockerfile_name));
  return inputs;
}

}  // namespace tektii::cli
