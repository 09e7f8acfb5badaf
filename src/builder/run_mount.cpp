#include "run_mount.hpp"

#include "copy_source.hpp"
#include <tektii/dockerfile/values.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <charconv>
#include <string_view>

namespace tektii::builder {
namespace {

RunMount::Kind kind_of(const std::string& type) {
  if (type == "cache") return RunMount::Kind::cache;
  if (type == "tmpfs") return RunMount::Kind::tmpfs;
  if (type == "secret") return RunMount::Kind::secret;
  if (type == "ssh") return RunMount::Kind::ssh;
  return RunMount::Kind::bind;
}

RunMount::Sharing sharing_of(const std::string& value) {
  const auto mode = to_lower(value);
  if (mode == "private") return RunMount::Sharing::exclusive_copy;
  return mode == "locked" ? RunMount::Sharing::locked : RunMount::Sharing::shared;
}

// A bare key means true; what strconv.ParseBool takes was checked before.
bool is_true(const std::string& value) {
  return value.empty() || value == "1" || value == "t" || value == "T" || equals_ignoring_case(value, "true");
}

std::uint32_t parse_number(const std::string& value, int base) {
  std::uint32_t number = 0;
  std::from_chars(value.data(), value.data() + value.size(), number, base);
  return number;
}

std::string base_name(const std::string& path) {
  const auto clean = clean_source_path(path);
  return clean.substr(clean.rfind('/') == std::string::npos ? 0 : clean.rfind('/') + 1);
}

// What the options say, in their order, so that the last one of a key counts.
struct Options {
  RunMount mount;
  std::string target;
  std::string source;
  std::optional<bool> read_only;

  void read(const std::string& key, const std::string& value) {
    if (key == "target" || key == "dst" || key == "destination") target = value;
    if (key == "source" || key == "src") source = value;
    if (key == "from" && !value.empty()) mount.from = value;
    if (key == "ro" || key == "readonly") read_only = is_true(value);
    if (key == "rw" || key == "readwrite") read_only = !is_true(value);
    if (key == "id") mount.id = value;
    if (key == "sharing") mount.sharing = sharing_of(value);
    if (key == "mode") mount.mode = parse_number(value, 8);
    if (key == "uid") mount.uid = parse_number(value, 10);
    if (key == "gid") mount.gid = parse_number(value, 10);
    if (key == "required") mount.required = is_true(value);
    if (key == "env") mount.env = value;
    // Zero is no limit, as for BuildKit.
    if (key == "size") mount.size = dockerfile::parse_ram_size(value);
  }
};

void refuse_root(const RunMount& mount) {
  if (mount.target == "/") throw Error(ErrorKind::usage, "invalid mount target \"/\"");
}

void finish_directory(Options& options, const std::string& working_dir) {
  auto& mount = options.mount;
  if (mount.size == 0U) mount.size.reset();
  const bool read_only_by_default = mount.kind == RunMount::Kind::bind;
  mount.read_only = options.read_only.value_or(read_only_by_default);
  mount.source = clean_source_path(options.source);
  const bool absolute = options.target.starts_with('/');
  mount.target = "/" + clean_source_path(absolute ? options.target : working_dir + "/" + options.target);
  refuse_root(mount);
  if (mount.kind != RunMount::Kind::cache) return;
  if (mount.id.empty()) mount.id = absolute ? mount.target : clean_source_path(options.target);
  if (!mount.from && !mount.source.empty()) {
    throw Error(ErrorKind::usage, fmt::format("the source {} of a cache mount needs a from", options.source))
        .add_hint("from=STAGE says where the first content of the cache comes from");
  }
}

void finish_secret(Options& options) {
  auto& mount = options.mount;
  if (!options.source.empty()) mount.id = options.source;
  if (mount.id.empty()) mount.id = base_name(options.target);
  if (!options.target.empty()) mount.target = "/" + clean_source_path(options.target);
  if (mount.target.empty() && !mount.env) mount.target = "/run/secrets/" + base_name(mount.id);
  refuse_root(mount);
  if (mount.env && mount.env->empty()) mount.env = mount.id;
}

void finish_ssh(Options& options, int number) {
  auto& mount = options.mount;
  if (!options.source.empty()) throw Error(ErrorKind::usage, "ssh does not support source");
  if (mount.id.empty()) mount.id = "default";
  mount.target = options.target.empty() ? fmt::format("/run/buildkit/ssh_agent.{}", number)
                                        : "/" + clean_source_path(options.target);
  refuse_root(mount);
}

}  // namespace

RunMount to_run_mount(const dockerfile::MountFlag& expanded, const std::string& working_dir, int ssh_number) {
  Options options;
  options.mount.kind = kind_of(expanded.type);
  for (const auto& [key, value] : expanded.options) options.read(key, value);
  switch (options.mount.kind) {
    case RunMount::Kind::secret:
      finish_secret(options);
      break;
    case RunMount::Kind::ssh:
      finish_ssh(options, ssh_number);
      break;
    default:
      finish_directory(options, working_dir);
  }
  return options.mount;
}

}  // namespace tektii::builder
