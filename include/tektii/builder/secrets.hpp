#pragma once

#include <tektii/builder/request.hpp>
#include <tektii/util/secret.hpp>

#include <map>
#include <optional>
#include <string>

namespace tektii::builder {

inline constexpr std::size_t k_largest_secret = std::size_t{500} << 10;  // BuildKit's limit

using BuildSecrets = std::map<std::string, SecretSource>;  // by id

// The value of a --secret; nullopt when none has this id. As with docker a variable that is not set is an empty secret.
// Throws Error when its file can't be read or is too large; the text never holds any of the value.
std::optional<Secret> read_secret(const BuildSecrets& secrets, const std::string& id);

}  // namespace tektii::builder
