#include "secrets.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <fmt/format.h>

#include <cstdlib>

namespace tektii::builder {

std::optional<Secret> read_secret(const BuildRequest& request, const std::string& id) {
  const auto found = request.secrets.find(id);
  if (found == request.secrets.end()) return std::nullopt;
  const auto& source = found->second;
  if (source.environment) {
    // As docker: a variable that is not set is an empty secret.
    const char* value = std::getenv(source.environment->c_str());
    return Secret(value == nullptr ? "" : value);
  }
  if (!source.file) return std::nullopt;
  try {
    return Secret(read_file(*source.file, k_largest_secret));
  } catch (Error& error) {
    error.add_context(fmt::format("secret {}", id));
    throw;
  }
}

}  // namespace tektii::builder
