#pragma once

#include <tektii/builder/build.hpp>
#include <tektii/layer/snapshots.hpp>

#include <string>

namespace tektii::cli {

// Decides how a RUN gets its root file system, and says so in the log: `wanted` is what --snapshotter says. "auto"
// tries overlayfs on the file system of the snapshots, which takes some milliseconds. With "copy" the snapshots hold
// plain directories from now on. The process is in its namespaces and has one thread.
builder::Snapshotter choose_snapshotter(const std::string& wanted, layer::Snapshots& snapshots);

}  // namespace tektii::cli
