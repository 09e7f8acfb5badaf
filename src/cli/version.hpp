#pragma once

#include <string_view>

namespace tektii::cli {

std::string_view product_version();  // "0.1.0"

}  // namespace tektii::cli
