#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tektii::registry {

// Edits of the objects in "auths" of a config file that leave every other byte of it as it is: people write these files
// by hand, and other programs keep their own members in them. The text must be a valid JSON object, or blank.

// Sets auths[key] to an object of string members; makes "auths" where it is not an object yet.
std::string with_auth_entry(std::string_view json, const std::string& key,
                            const std::vector<std::pair<std::string, std::string>>& members);

// Without auths[key], however often it is there.
std::string without_auth_entry(std::string_view json, const std::string& key);

}  // namespace tektii::registry
