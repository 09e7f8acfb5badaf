#pragma once

#include <optional>
#include <string_view>

namespace tektii::exec {

// The resource of setrlimit(2) that a name of ulimit_names() stands for.
std::optional<int> ulimit_resource(std::string_view name);

}  // namespace tektii::exec
