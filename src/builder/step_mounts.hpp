#pragma once

#include "bind_files.hpp"
#include "cache_mounts.hpp"
#include "copy_source.hpp"
#include "layer_stack.hpp"
#include "run_mount.hpp"
#include "ssh_forward.hpp"
#include "step_cache.hpp"
#include <tektii/builder/build.hpp>
#include <tektii/exec/executor.hpp>
#include <tektii/layer/snapshots.hpp>

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace tektii::builder {

// Where the files of a mount come from: either of the two, or neither (scratch).
struct MountSource {
  std::shared_ptr<LayerStack> stack;  // a stage or image
  bool is_image = false;
  std::shared_ptr<CopySource> files;  // a directory of this machine
};

// What the mounts of a RUN need of its surroundings.
struct MountContext {
  const BuildRequest& request;
  const BuildDeps& deps;
  BlobFetcher& fetcher;
  BindFiles& bind_files;
  std::stop_token stop;
  std::function<void(const std::string& line)> tell;  // shown as output of the step
  // What `work` gives, remembered by the key of what is asked.
  std::function<std::string(const std::string& question, const std::function<std::string()>& work)> known_content = {};
};

// The mounts of one RUN: first they tell what the result depends on, then, if the command has to run, they are made
// ready, and are kept until this object goes.
class StepMounts {
 public:
  using OpenSource = std::function<MountSource(const RunMount&)>;
  // Opens the sources of bind and cache mounts.
  StepMounts(std::vector<RunMount> mounts, const OpenSource& open_source);

  // Definitions and the contents of bind mounts; of secrets and agents their names alone.
  void add_to_key(KeyBuilder& key, const MountContext& context);
  // Variables that the mounts bring: SSH_AUTH_SOCK.
  std::vector<std::string> environment() const;
  // Brings everything into being and adds it to the spec; after add_to_key(). Throws Error.
  void prepare(exec::RunSpec& spec, const MountContext& context);
  // Gives everything back as soon as the command has ended: others may wait for its caches.
  void release();

 private:
  struct Item {
    RunMount mount;
    MountSource source;
    std::string source_key;  // of what is mounted, or a cache begins with; known after add_to_key()
  };

  std::string identity(const Item& item, const MountContext& context) const;
  void add_bind(const Item& item, exec::RunSpec& spec, const MountContext& context);
  void add_caches(exec::RunSpec& spec, const MountContext& context);
  void add_secret(const RunMount& mount, exec::RunSpec& spec, const MountContext& context) const;
  void add_ssh(const RunMount& mount, exec::RunSpec& spec, const MountContext& context);
  static RunMount::Sharing strictest_sharing(const std::vector<const Item*>& users);
  std::string cache_key(const Item& item, const MountContext& context) const;
  void fill_cache(const Item& item, const std::filesystem::path& directory, const MountContext& context) const;
  // The overlay of a source; `path` is what of it is meant.
  exec::OverlaySource make_overlay(const Item& item, const MountContext& context);
  // The same as files of their own, where layers are not stacked by overlayfs.
  exec::HostSource make_copy(const Item& item, const MountContext& context);
  void require_unchanged(const Item& item, const MountContext& context) const;

  std::vector<Item> items_;
  std::vector<layer::OverlayWorkspace> workspaces_;
  std::vector<CacheMounts::Lease> leases_;
  std::vector<std::unique_ptr<SshForward>> agents_;  // before workspaces_ goes, so declared behind it
};

}  // namespace tektii::builder
