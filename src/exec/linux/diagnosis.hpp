#pragma once

#include "id_map.hpp"
#include <tektii/exec/executor.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace tektii::exec {

// What this machine says about user namespaces, gathered once so that the conclusions are a pure function of it.
struct NamespaceFacts {
  std::uint32_t uid = 0;
  std::string user_name;
  bool is_root = false;          // effective uid 0 with CAP_SYS_ADMIN
  std::uint64_t mapped_ids = 0;  // of the namespace we are in
  int threads = 1;
  std::optional<std::int64_t> max_user_namespaces;        // sysctl user.max_user_namespaces
  std::optional<std::int64_t> unprivileged_userns_clone;  // sysctl of Debian kernels up to 10
  std::optional<std::int64_t> apparmor_restricts;         // sysctl kernel.apparmor_restrict_unprivileged_userns
  bool seccomp_filtered = false;
  bool no_new_privs = false;
  std::string newuidmap;  // absolute path, empty when not found
  std::string newgidmap;
  std::optional<IdRange> sub_uids;
  std::optional<IdRange> sub_gids;
  std::uint64_t first_free_id = 100000;  // above every range that either file gives to anybody
};

NamespaceFacts gather_facts();

// What makes an attempt pointless; nullopt when it is worth one.
std::optional<Unavailable> find_obstacle(const NamespaceFacts& facts);

// An attempt has failed at `what` with `error_number` (0: `what` says it all): the likely causes on this machine.
Unavailable explain_failure(const NamespaceFacts& facts, const std::string& what, int error_number);

}  // namespace tektii::exec
