#include "cli/version.hpp"

namespace tektii::cli {

std::string_view product_version() {
  return TEKTII_VERSION;
}

}  // namespace tektii::cli
