#include "registry/scope.hpp"

#include <tektii/util/text.hpp>

#include <algorithm>

namespace tektii::registry {

namespace {

// "repository:host:5000/name:pull,push" splits at the last ':'.
std::string resource_of(const std::string& scope) {
  return scope.substr(0, scope.rfind(':'));
}

std::vector<std::string> actions_of(const std::string& scope) {
  const auto colon = scope.rfind(':');
  return colon == std::string::npos ? std::vector<std::string>{} : split(scope.substr(colon + 1), ',');
}

}  // namespace

bool covers(const Scopes& granted, const std::string& scope) {
  return std::any_of(granted.begin(), granted.end(), [&](const std::string& candidate) {
    if (resource_of(candidate) != resource_of(scope)) return false;
    const auto have = actions_of(candidate);
    const auto want = actions_of(scope);
    return std::all_of(want.begin(), want.end(), [&](const std::string& action) {
      return std::find(have.begin(), have.end(), action) != have.end();
    });
  });
}

void widen(Scopes& scopes, const std::string& scope) {
  if (scope.empty() || covers(scopes, scope)) return;
  const auto same = std::find_if(scopes.begin(), scopes.end(), [&](const std::string& candidate) {
    return resource_of(candidate) == resource_of(scope);
  });
  if (same == scopes.end()) {
    scopes.insert(scopes.begin(), scope);
    return;
  }
  auto actions = actions_of(*same);
  for (const std::string& action : actions_of(scope)) {
    if (std::find(actions.begin(), actions.end(), action) == actions.end()) actions.push_back(action);
  }
  *same = resource_of(*same) + ":" + join(actions, ",");
}

}  // namespace tektii::registry
