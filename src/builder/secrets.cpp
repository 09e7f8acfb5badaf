#include <tektii/builder/secrets.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <fmt/format.h>

#include <cstdlib>

namespace tektii::builder {

std::optional<Secret> read_secret(const BuildSecrets& secrets, const std::string& id) {
  const auto found = secrets.find(id);
  if (found == secrets.end()) return std::nullopt;
  const auto& source = found->second;
  if (source.environment) {
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
