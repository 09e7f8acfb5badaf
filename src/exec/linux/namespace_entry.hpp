#pragma once

#include "diagnosis.hpp"

#include <cstdint>
#include <string>

namespace tektii::exec {

// How far an attempt came; `what` is empty on success.
struct EntryResult {
  std::string what;
  int error_number = 0;
  bool success() const { return what.empty(); }
};

// Takes the calling process into its namespaces: see enter_build_namespace(). Not undone on failure, so it is tried in
// a child first.
EntryResult enter_namespaces(const NamespaceFacts& facts);

// What a run will do, tried in the namespaces: an overlay with userxattr, and a new pid namespace with its /proc.
// Changes mounts, so it is for a child that ends afterwards.
EntryResult try_mounts();

// Runs both in a child and brings the result back.
EntryResult rehearse(const NamespaceFacts& facts);

}  // namespace tektii::exec
