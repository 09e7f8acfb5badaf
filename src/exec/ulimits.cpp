#include "ulimits.hpp"

#include <tektii/exec/executor.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <array>

namespace tektii::exec {

namespace {

struct Limit {
  const char* name;
  int resource;
};

// The names of docker/go-units.
constexpr std::array<Limit, 15> k_limits{{{"core", RLIMIT_CORE},
                                          {"cpu", RLIMIT_CPU},
                                          {"data", RLIMIT_DATA},
                                          {"fsize", RLIMIT_FSIZE},
                                          {"locks", RLIMIT_LOCKS},
                                          {"memlock", RLIMIT_MEMLOCK},
                                          {"msgqueue", RLIMIT_MSGQUEUE},
                                          {"nice", RLIMIT_NICE},
                                          {"nofile", RLIMIT_NOFILE},
                                          {"nproc", RLIMIT_NPROC},
                                          {"rss", RLIMIT_RSS},
                                          {"rtprio", RLIMIT_RTPRIO},
                                          {"rttime", RLIMIT_RTTIME},
                                          {"sigpending", RLIMIT_SIGPENDING},
                                          {"stack", RLIMIT_STACK}}};

}  // namespace

const std::vector<std::string>& ulimit_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const Limit& limit : k_limits) list.emplace_back(limit.name);
    return list;
  }();
  return names;
}

std::optional<int> ulimit_resource(std::string_view name) {
  const auto found =
      std::find_if(k_limits.begin(), k_limits.end(), [&](const Limit& limit) { return name == limit.name; });
  if (found == k_limits.end()) return std::nullopt;
  return found->resource;
}

}  // namespace tektii::exec
