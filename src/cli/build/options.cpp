#include "options.hpp"

#include "named_epoch.hpp"
#include "source_date.hpp"
#include <tektii/dockerfile/instruction.hpp>
#include <tektii/oci/reference.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace tektii::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_layout_scheme = "oci-layout://";

fs::path find_context(const std::string& context) {
  if (context == "-" || context.find("://") != std::string::npos || context.rfind("git@", 0) == 0) {
    throw Error(ErrorKind::usage, fmt::format("context {} is not supported yet: it must be a directory", context));
  }
  std::error_code failure;
  if (!fs::is_directory(context, failure)) {
    throw Error(ErrorKind::usage, fmt::format("context {} {}", context,
                                              fs::exists(context, failure) ? "is not a directory" : "does not exist"));
  }
  return fs::canonical(context);
}

// As written by the user: that is what the documented error shows.
std::string dockerfile_path(const BuildOptions& options) {
  if (!options.file.empty()) return options.file;
  return options.context == "." ? "./Dockerfile" : (fs::path(options.context) / "Dockerfile").string();
}

void read_dockerfile(const BuildOptions& options, builder::BuildRequest& request) {
  const auto path = dockerfile_path(options);
  if (path == "-") throw Error(ErrorKind::usage, "a Dockerfile on standard input is not supported yet");
  std::error_code failure;
  if (!fs::exists(path, failure)) {
    throw Error(ErrorKind::usage, fmt::format("Dockerfile not found at {}", path))
        .add_hint(fmt::format("use {} to name another file", options.file_flag));
  }
  if (fs::is_directory(path, failure))
    throw Error(ErrorKind::usage, fmt::format("{} is a directory, not a Dockerfile", path));
  request.dockerfile_text = read_file(path);
  request.dockerfile_name = fs::path(path).filename().string();
  for (const auto& candidate : {fs::path(path + ".dockerignore"), request.context / ".dockerignore"}) {
    if (!fs::is_regular_file(candidate, failure)) continue;
    request.ignore_text = read_file(candidate);
    request.ignore_name = candidate.filename().string();
    break;
  }
}

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

// A path of this machine in the form that the opener of images takes; absolute, and known to be a layout.
std::string absolute_layout(const std::string& text) {
  const auto layout = parse_layout(text);
  const auto tag = layout.tag.empty() ? std::string{} : ":" + layout.tag;
  return fmt::format("{}{}{}", k_layout_scheme, layout.directory.string(), tag);
}

void read_labels(const std::vector<std::string>& given, builder::BuildRequest& request) {
  for (const auto& label : given) {
    const auto equals = label.find('=');
    const auto name = label.substr(0, equals);
    if (name.empty()) throw Error(ErrorKind::usage, fmt::format("--label {}: the name is missing", label));
    request.labels[name] = equals == std::string::npos ? std::string{} : label.substr(equals + 1);
  }
}

void read_build_contexts(const std::vector<std::string>& given, builder::BuildRequest& request) {
  for (const auto& context : given) {
    const auto equals = context.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == context.size()) {
      throw Error(ErrorKind::usage,
                  fmt::format("--build-context {}: expected NAME=DIR or NAME=oci-layout://DIR[:TAG]", context));
    }
    const auto name = context.substr(0, equals);
    const auto value = context.substr(equals + 1);
    if (value.rfind(k_layout_scheme, 0) == 0) {
      oci::ImageReference::parse(name);  // the base is called by this name, not by the path
      request.named_contexts[name] = {builder::NamedContext::Kind::image, {}, absolute_layout(value)};
      continue;
    }
    if (value.find("://") != std::string::npos) {
      throw Error(ErrorKind::usage,
                  fmt::format("--build-context {}: only directories and oci-layout:// are supported yet", context));
    }
    std::error_code failure;
    if (!fs::is_directory(value, failure)) {
      throw Error(ErrorKind::usage, fmt::format("--build-context {}: {} is not a directory", context, value));
    }
    request.named_contexts[name] = {builder::NamedContext::Kind::directory, fs::canonical(value), {}};
  }
}

// A file that could only be written in vain after the whole build is found out before it.
void require_directory_of(const std::string& option, const fs::path& file) {
  std::error_code failure;
  const auto parent = fs::absolute(file).parent_path();
  if (fs::is_directory(parent, failure)) return;
  throw Error(ErrorKind::usage, fmt::format("{} {}: there is no directory {}", option, file.string(), parent.string()));
}

OutputSpec parse_output(const std::string& text) {
  constexpr const char* k_hint = "use type=oci,dest=DIR or type=oci,dest=FILE.tar";
  if (text == "json" || text == "table") {
    throw Error(ErrorKind::usage, fmt::format("--output {}: of a build, --output says where the image goes", text))
        .add_hint(k_hint);
  }
  std::string type;
  OutputSpec output;
  for (const auto& field : split(text, ',')) {
    const auto equals = field.find('=');
    const auto key = field.substr(0, equals);
    const auto value = equals == std::string::npos ? std::string{} : field.substr(equals + 1);
    if (key == "type") {
      type = value;
    } else if (key == "dest") {
      output.destination = fs::absolute(value);
    } else {
      throw Error(ErrorKind::usage, fmt::format("--output {}: unknown key {}", text, key)).add_hint(k_hint);
    }
  }
  if (type != "oci")
    throw Error(ErrorKind::usage, fmt::format("--output {}: type {} is not supported", text, type)).add_hint(k_hint);
  if (output.destination.empty())
    throw Error(ErrorKind::usage, fmt::format("--output {}: dest is missing", text)).add_hint(k_hint);
  if (output.destination.extension() == ".tar") {
    output.kind = OutputSpec::Kind::oci_archive;
    require_directory_of("--output", output.destination);
  }
  return output;
}

CompressionOptions parse_compression(const std::string& text) {
  CompressionOptions options;
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

bool needs_unpacked_layers(const dockerfile::Dockerfile& file) {
  for (const auto& stage : file.stages) {
    const bool any = std::any_of(stage.instructions.begin(), stage.instructions.end(), [](const auto& instruction) {
      const auto* copy = std::get_if<dockerfile::Copy>(&instruction.body);
      return std::holds_alternative<dockerfile::Run>(instruction.body) || (copy != nullptr && copy->from);
    });
    // What an image asks for in ONBUILD is known when it is looked up, which is too late to enter namespaces.
    if (any || stage.from_body().image != "scratch") return true;
  }
  return false;
}

}  // namespace

LayoutContext parse_layout(const std::string& text) {
  const auto path = text.substr(k_layout_scheme.size());
  const auto slash = path.rfind('/');
  const auto colon = path.rfind(':');
  const bool tagged = colon != std::string::npos && (slash == std::string::npos || colon > slash);
  const auto directory = fs::absolute(tagged ? path.substr(0, colon) : path);
  std::error_code failure;
  if (!fs::is_regular_file(directory / "oci-layout", failure)) {
    throw Error(ErrorKind::usage,
                fmt::format("{} is not an OCI layout: it has no oci-layout file", directory.string()));
  }
  return {directory, tagged ? path.substr(colon + 1) : std::string{}};
}

BuildInputs read_build_inputs(const BuildOptions& options) {
  BuildInputs inputs;
  auto& request = inputs.request;
  request.platform = parse_platform(options.platform);
  request.compression = parse_compression(options.compression);
  request.target = options.target;
  request.no_cache = options.no_cache;
  if (options.jobs < 0) throw Error(ErrorKind::usage, fmt::format("--jobs {}: it must be at least 1", options.jobs));
  request.jobs = options.jobs;
  request.preserve_modes = options.preserve_modes;
  request.context = find_context(options.context);
  read_dockerfile(options, request);
  read_build_args(options.build_args, request);
  read_labels(options.labels, request);
  read_build_contexts(options.build_contexts, request);
  if (!options.iid_file.empty()) require_directory_of("--iidfile", options.iid_file);
  if (!options.metadata_file.empty()) require_directory_of("--metadata-file", options.metadata_file);
  for (const auto& output : options.outputs) inputs.outputs.push_back(parse_output(output));
  inputs.agents = read_run_options(options.run, request);
  request.preserve_timestamps = options.timestamps == "preserve";
  const auto commit_time = local_commit_time(request.context);
  resolve_epoch_argument(request, commit_time);
  const auto times = find_build_times(options.timestamps, request.build_args, commit_time);
  request.source_date_epoch = times.files;
  request.created = times.created;
  inputs.may_run_commands =
      needs_unpacked_layers(dockerfile::parse_dockerfile(request.dockerfile_text, request.dockerfile_name));
  return inputs;
}

}  // namespace tektii::cli
