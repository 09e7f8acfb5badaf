#pragma once

#include "exec/init_report.hpp"
#include "exec/run_plan.hpp"
#include <tektii/util/error.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace tektii::exec {

// The Error for a failure of the machinery, with hints where the user can act.
Error to_error(const InitReport& report, const RunPlan& plan);

// The name of the file system of a path, when it is one that can't hold the upper directory of an overlay.
std::optional<std::string> unsuitable_file_system(const std::filesystem::path& path);

}  // namespace tektii::exec
