#include "step_mounts.hpp"

#include "run_root.hpp"
#include <tektii/builder/secrets.hpp>
#include <tektii/layer/upper.hpp>
#include <tektii/layer/working_tree.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace tektii::builder {
namespace {

using Kind = RunMount::Kind;

std::string text_of(const std::optional<std::uint32_t>& number) {
  return number ? std::to_string(*number) : "-";
}

// Names, attributes and contents, but not where they come from.
void add_files(KeyBuilder& key, CopySource& source, const std::string& path, const std::stop_token& stop) {
  std::map<std::string, std::string> first_names;
  source.visit(path, [&](const SourceEntry& entry) {
    throw_if_stopped(stop);
    key.field("path", entry.relative_path).metadata(entry.metadata);
    if (!entry.link_id.empty()) {
      key.field("same file as", first_names.emplace(entry.link_id, entry.relative_path).first->second);
    }
    if (entry.file) key.field("content", entry.file->content_id());
  });
}

void own(const std::filesystem::path& directory, const fs::FileMetadata& metadata) {
  const mode_t mode = metadata.mode == 0 ? 0755 : metadata.mode;
  const timespec times[2] = {{0, UTIME_OMIT}, {metadata.mtime, 0}};
  if (::chown(directory.c_str(), metadata.uid, metadata.gid) != 0 || ::chmod(directory.c_str(), mode) != 0 ||
      ::utimensat(AT_FDCWD, directory.c_str(), times, 0) != 0) {
    Error error(ErrorKind::failure,
                fmt::format("can't give {} to {}:{}", directory.string(), metadata.uid, metadata.gid));
    throw error.add_hint("in a user namespace only the ids of /etc/subuid and /etc/subgid can own files");
  }
}

}  // namespace

StepMounts::StepMounts(std::vector<RunMount> mounts, const OpenSource& open_source) {
  for (RunMount& mount : mounts) {
    Item item;
    const bool has_source = mount.kind == Kind::bind || (mount.kind == Kind::cache && mount.from);
    if (has_source) item.source = open_source(mount);
    item.mount = std::move(mount);
    items_.push_back(std::move(item));
  }
}

// Of an image the whole chain counts: a part of it would need the index of its layers even when the step is cached.
std::string StepMounts::identity(const Item& item, const MountContext& context) const {
  const auto& mount = item.mount;
  const auto& source = item.source;
  KeyBuilder key("mount source/2");
  if (source.files) {
    add_files(key, *source.files, mount.source, context.stop);
  } else if (source.stack && !source.is_image && !mount.source.empty()) {
    KeyBuilder question("mounted/1");
    question.field("layers", source.stack->chain_key()).field("path", mount.source);
    key.field("content", context.known_content(question.finish(), [&] {
      const auto files = make_stage_source(*source.stack, context.deps.snapshots, context.fetcher, context.stop);
      if (!has_path(*files, mount.source)) {
        throw Error(ErrorKind::usage, fmt::format("/{} not found in {}", mount.source, mount.from.value_or("")));
      }
      KeyBuilder content("content/1");
      add_files(content, *files, mount.source, context.stop);
      return content.finish();
    }));
  } else if (source.stack) {
    key.field("layers", source.stack->chain_key()).field("path", mount.source);
  }
  return key.finish();
}

void StepMounts::add_to_key(KeyBuilder& key, const MountContext& context) {
  for (Item& item : items_) {
    const auto& mount = item.mount;
    key.field("mount", std::to_string(static_cast<int>(mount.kind)))
        .field("target", mount.target)
        .field("read only", mount.read_only ? "yes" : "no")
        .field("id", mount.id)
        .field("sharing", std::to_string(static_cast<int>(mount.sharing)))
        .field("owner", text_of(mount.uid) + ":" + text_of(mount.gid))
        .field("mode", text_of(mount.mode))
        .field("size", mount.size ? std::to_string(*mount.size) : "-")
        .field("variable", mount.env.value_or(""));
    const bool has_source = mount.kind == Kind::bind || (mount.kind == Kind::cache && mount.from);
    if (!has_source) continue;
    item.source_key = identity(item, context);
    key.field("source", item.source_key);
  }
}

std::vector<std::string> StepMounts::environment() const {
  for (const Item& item : items_) {
    if (item.mount.kind == Kind::ssh) return {"SSH_AUTH_SOCK=" + item.mount.target};
  }
  return {};
}

void StepMounts::prepare(exec::RunSpec& spec, const MountContext& context) {
  for (const Item& item : items_) {
    const auto& mount = item.mount;
    if (mount.kind == Kind::bind) add_bind(item, spec, context);
    if (mount.kind == Kind::secret) add_secret(mount, spec, context);
    if (mount.kind == Kind::ssh) add_ssh(mount, spec, context);
    if (mount.kind == Kind::tmpfs) {
      spec.mounts.push_back({mount.target, exec::TmpfsSource{mount.size}, mount.read_only});
    }
  }
  // Last: what others may wait for is held as short as can be.
  add_caches(spec, context);
}

void StepMounts::release() {
  leases_.clear();
  agents_.clear();
  workspaces_.clear();
}

exec::OverlaySource StepMounts::make_overlay(const Item& item, const MountContext& context) {
  exec::OverlaySource overlay;
  const auto& workspace = workspaces_.emplace_back(context.deps.snapshots.make_workspace());
  overlay.upper_dir = workspace.upper();
  overlay.work_dir = workspace.work();
  overlay.path = "/" + item.mount.source;
  fs::FileMetadata root;
  if (item.source.stack) {
    const auto& tree = item.source.stack->tree(context.stop);
    overlay.lower_dirs = item.source.stack->directories(context.stop);
    layer::prepare_upper(overlay.upper_dir, tree);
    root = tree.find("")->metadata;
  } else if (item.source.files) {
    const auto files = context.bind_files.get(item.source_key, *item.source.files, item.mount.source,
                                              context.deps.snapshots, context.stop);
    require_unchanged(item, context);
    overlay.path = files.path;
    overlay.lower_dirs = {files.directory};
    struct stat info {};
    if (::stat(files.directory.c_str(), &info) != 0) throw_errno("stat " + files.directory.string());
    root.mode = info.st_mode & 07777U;
    root.mtime = info.st_mtim.tv_sec;
  }
  own(overlay.upper_dir, root);
  return overlay;
}

// The step is remembered under what was there when its key was made.
void StepMounts::require_unchanged(const Item& item, const MountContext& context) const {
  if (identity(item, context) == item.source_key) return;
  throw Error(ErrorKind::failure, fmt::format("/{} changed while it was being mounted", item.mount.source))
      .add_hint("build again when nothing writes to the context any more");
}

// Of the context, commands that only read share one copy; whoever may write has one of its own.
exec::HostSource StepMounts::make_copy(const Item& item, const MountContext& context) {
  auto& snapshots = context.deps.snapshots;
  if (item.source.files && item.mount.read_only) {
    const auto files =
        context.bind_files.get(item.source_key, *item.source.files, item.mount.source, snapshots, context.stop);
    require_unchanged(item, context);
    return {files.path == "/" ? files.directory : files.directory / files.path.substr(1)};
  }
  const auto& workspace = workspaces_.emplace_back(snapshots.make_workspace());
  auto path = workspace.upper();
  if (item.source.files) {
    const auto written = write_files(*item.source.files, item.mount.source, path, context.stop);
    require_unchanged(item, context);
    if (written != "/") path /= written.substr(1);
  } else if (item.source.stack) {
    auto& stack = *item.source.stack;
    const auto& tree = stack.tree(context.stop);
    const auto resolved = tree.resolve(item.mount.source);
    if (resolved.node == nullptr) {
      throw Error(ErrorKind::failure,
                  fmt::format("RUN --mount: /{} does not exist in what it is mounted from", item.mount.source));
    }
    layer::make_part(workspace, tree, resolved.path, directories_of(stack, context.stop), context.stop);
    if (resolved.path.empty()) own(path, tree.find("")->metadata);
    if (!resolved.path.empty()) path /= resolved.path;
  } else {
    own(path, {});
  }
  return {path};
}

void StepMounts::add_bind(const Item& item, exec::RunSpec& spec, const MountContext& context) {
  if (context.deps.snapshotter == Snapshotter::copy) {
    spec.mounts.push_back({item.mount.target, make_copy(item, context), item.mount.read_only});
    return;
  }
  spec.mounts.push_back({item.mount.target, make_overlay(item, context), item.mount.read_only});
}

std::string StepMounts::cache_key(const Item& item, const MountContext& context) const {
  const auto& mount = item.mount;
  const auto space = context.request.build_args.find("BUILDKIT_CACHE_MOUNT_NS");
  auto key = fmt::format("{}/{}", space == context.request.build_args.end() ? "" : space->second, mount.id);
  // As in BuildKit, a cache that begins as something else is another one.
  if (mount.from) key += fmt::format(" from {}", item.source_key);
  const bool owned = mount.mode || mount.uid || mount.gid;
  if (owned && mount.source.empty()) {
    key += fmt::format(" mode {} of {}:{}", mount.mode.value_or(0755), mount.uid.value_or(0), mount.gid.value_or(0));
  }
  return key;
}

void StepMounts::fill_cache(const Item& item, const std::filesystem::path& directory,
                            const MountContext& context) const {
  const auto& mount = item.mount;
  std::shared_ptr<CopySource> files = item.source.files;
  if (item.source.stack) {
    files = make_stage_source(*item.source.stack, context.deps.snapshots, context.fetcher, context.stop);
    if (!has_path(*files, mount.source)) {
      throw Error(ErrorKind::usage, fmt::format("/{} not found in {}", mount.source, mount.from.value_or("")));
    }
  }
  fs::FileMetadata root;
  if (files) {
    if (write_files(*files, mount.source, directory, context.stop) != "/") {
      throw Error(ErrorKind::usage, fmt::format("/{} is not a directory: a cache can't begin as a file", mount.source));
    }
    if (!mount.source.empty()) return;
  }
  const bool owned = mount.mode || mount.uid || mount.gid;
  if (files && !owned) return;
  root.mode = mount.mode.value_or(0755);
  root.uid = mount.uid.value_or(0);
  root.gid = mount.gid.value_or(0);
  own(directory, root);
}

// The sharing that keeps what each of the mounts of one cache asks for.
RunMount::Sharing StepMounts::strictest_sharing(const std::vector<const Item*>& users) {
  auto strictest = RunMount::Sharing::shared;
  for (const Item* user : users) {
    const auto sharing = user->mount.sharing;
    if (sharing == RunMount::Sharing::locked) return sharing;
    if (sharing == RunMount::Sharing::exclusive_copy) strictest = sharing;
  }
  return strictest;
}

// In the order of their keys, so that two commands that lock the same caches can't wait for each other; what one
// command mounts twice it holds once.
void StepMounts::add_caches(exec::RunSpec& spec, const MountContext& context) {
  std::map<std::string, std::vector<const Item*>> by_key;
  for (const Item& item : items_) {
    if (item.mount.kind == Kind::cache) by_key[cache_key(item, context)].push_back(&item);
  }
  if (by_key.empty()) return;
  if (context.deps.cache_mounts.empty()) {
    throw Error(ErrorKind::failure, "there is no place for cache mounts in this build");
  }
  const CacheMounts caches(context.deps.cache_mounts, context.deps.marks);
  for (const auto& [key, users] : by_key) {
    const Item& first = *users.front();
    const auto fill = [&](const std::filesystem::path& directory) { fill_cache(first, directory, context); };
    const auto on_wait = [&] {
      context.tell(fmt::format("waiting for the cache mount {}, which another step or build uses\n", first.mount.id));
    };
    leases_.push_back(caches.acquire({key, strictest_sharing(users), fill}, on_wait, context.stop));
    for (const Item* user : users) {
      spec.mounts.push_back({user->mount.target, exec::HostSource{leases_.back().directory}, user->mount.read_only});
    }
  }
}

void StepMounts::add_secret(const RunMount& mount, exec::RunSpec& spec, const MountContext& context) const {
  const auto value = read_secret(context.request.secrets, mount.id);
  if (!value && mount.required) {
    throw Error(ErrorKind::usage, fmt::format("secret {}: not found", mount.id))
        .add_hint(fmt::format("add --secret id={},src=FILE or --secret id={},env=NAME", mount.id, mount.id));
  }
  // As BuildKit: without the secret there is no file, but the variable is there and empty.
  if (mount.env) spec.secret_env.push_back({*mount.env, value.value_or(Secret())});
  if (!value || mount.target.empty()) return;
  spec.mounts.push_back(
      {mount.target,
       exec::SecretSource{*value, mount.mode.value_or(0400), mount.uid.value_or(0), mount.gid.value_or(0)}, true});
}

void StepMounts::add_ssh(const RunMount& mount, exec::RunSpec& spec, const MountContext& context) {
  const auto agent = context.request.ssh_agents.find(mount.id);
  if (agent == context.request.ssh_agents.end()) {
    if (!mount.required) return;
    throw Error(ErrorKind::usage, fmt::format("no SSH key {} forwarded from the client", mount.id))
        .add_hint(fmt::format("add --ssh {}", mount.id));
  }
  const auto directory = workspaces_.emplace_back(context.deps.snapshots.make_workspace()).upper();
  const auto socket = directory / "agent";
  agents_.push_back(std::make_unique<SshForward>(
      agent->second, socket,
      SocketOwner{mount.mode.value_or(0600) & 0777U, mount.uid.value_or(0), mount.gid.value_or(0)}));
  spec.mounts.push_back({mount.target, exec::HostSource{socket}, false});
}

}  // namespace tektii::builder
