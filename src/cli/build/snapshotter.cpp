#include "snapshotter.hpp"

#include <tektii/exec/user_namespace.hpp>

#include <spdlog/spdlog.h>

namespace tektii::cli {

builder::Snapshotter choose_snapshotter(const std::string& wanted, layer::Snapshots& snapshots) {
  if (wanted == "overlayfs") {
    spdlog::info("RUN stacks its layers by overlayfs: --snapshotter overlayfs");
    return builder::Snapshotter::overlayfs;
  }
  std::string reason = "--snapshotter copy";
  if (wanted == "auto") {
    const auto workspace = snapshots.make_workspace();
    const auto missing = exec::probe_overlay(workspace.work());
    if (!missing) {
      spdlog::info("RUN stacks its layers by overlayfs, which works here");
      return builder::Snapshotter::overlayfs;
    }
    reason = missing->reason;
  }
  spdlog::info("RUN copies its root file system: {}", reason);
  snapshots.use_plain_directories();
  return builder::Snapshotter::copy;
}

}  // namespace tektii::cli
