#pragma once

#include <tektii/dockerfile/expand.hpp>
#include <tektii/dockerfile/instruction.hpp>

#include <string_view>

namespace tektii::dockerfile {

// Parses the value of RUN --mount: comma-separated fields with CSV quoting, keys without case. Values stay as written.
// What has no variable in it is checked at once. Throws Error{usage}.
MountFlag parse_mount(std::string_view csv);

// Expands the values of a mount (all but `from`, which takes none) and checks it in full: types, keys that a type does
// not have, numbers, booleans, a target of "/". Throws Error{usage}; the caller adds the span.
MountFlag expand_mount(const MountFlag& mount, const Lookup& lookup, const ExpandOptions& options = {});

}  // namespace tektii::dockerfile
