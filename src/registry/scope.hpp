#pragma once

#include <string>
#include <vector>

namespace tektii::registry {

// Token scopes, "repository:<name>:<actions>"; the most important first, because some servers read no further.
using Scopes = std::vector<std::string>;

inline Scopes pull_scope(const std::string& repository) {
  return {"repository:" + repository + ":pull"};
}
inline Scopes push_scope(const std::string& repository) {
  return {"repository:" + repository + ":pull,push"};
}

// Makes `scopes` cover `scope`. Actions join those of the same resource, because some servers refuse a resource that is
// named twice; another resource goes first.
void widen(Scopes& scopes, const std::string& scope);

// True when `scope` asks for nothing that `granted` does not have.
bool covers(const Scopes& granted, const std::string& scope);

}  // namespace tektii::registry
