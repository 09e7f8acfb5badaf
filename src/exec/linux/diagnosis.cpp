#include "diagnosis.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace tektii::exec {

namespace {

// Fewer subordinate ids than this can't hold the users of a distribution (nobody is 65534, but system users suffice).
constexpr std::uint32_t k_fewest_ids = 1000;
constexpr std::uint64_t k_usual_ids = 65536;

std::string grant_hint(const NamespaceFacts& facts) {
  return fmt::format("sudo usermod --add-subuids {0}-{1} --add-subgids {0}-{1} {2}", facts.first_free_id,
                     facts.first_free_id + k_usual_ids - 1, facts.user_name);
}

std::optional<Unavailable> find_range_obstacle(const NamespaceFacts& facts, const std::optional<IdRange>& range,
                                               const char* file) {
  if (!range) {
    return Unavailable{fmt::format("{} has no range of ids for {} in {}", facts.user_name,
                                   file == std::string("/etc/subuid") ? "users" : "groups", file),
                       {grant_hint(facts)}};
  }
  if (range->count < k_fewest_ids) {
    return Unavailable{fmt::format("the range of {} in {} has only {} ids; images need at least {}, usually 65536",
                                   facts.user_name, file, range->count, k_fewest_ids),
                       {grant_hint(facts)}};
  }
  return std::nullopt;
}

std::optional<Unavailable> find_helper_obstacle(const NamespaceFacts& facts) {
  for (const auto* helper : {&facts.newuidmap, &facts.newgidmap}) {
    if (!helper->empty()) continue;
    const char* name = helper == &facts.newuidmap ? "newuidmap" : "newgidmap";
    return Unavailable{fmt::format("{} is not installed", name),
                       {"apt-get install uidmap (Debian, Ubuntu) or dnf install shadow-utils (Fedora)"}};
  }
  if (facts.no_new_privs) {
    return Unavailable{"this process runs with no_new_privs, so newuidmap can't use its privilege",
                       {"start the container without --security-opt no-new-privileges (Kubernetes: "
                        "allowPrivilegeEscalation: true)"}};
  }
  return std::nullopt;
}

std::optional<Unavailable> find_plain_obstacle(const NamespaceFacts& facts) {
  if (facts.threads != 1) {
    return Unavailable{fmt::format("the process has {} threads; namespaces are entered by a single one", facts.threads),
                       {}};
  }
  if (facts.is_root) {
    if (facts.mapped_ids >= k_fewest_ids) return std::nullopt;
    return Unavailable{fmt::format("root of a user namespace with only {} mapped ids", facts.mapped_ids),
                       {"map a range of at least 65536 ids into it, or start outside of it"}};
  }
  if (facts.max_user_namespaces == 0) {
    return Unavailable{"user namespaces are turned off (user.max_user_namespaces is 0)",
                       {"sudo sysctl user.max_user_namespaces=15000"}};
  }
  if (facts.unprivileged_userns_clone == 0) {
    return Unavailable{"user namespaces are for root alone (kernel.unprivileged_userns_clone is 0)",
                       {"sudo sysctl kernel.unprivileged_userns_clone=1"}};
  }
  if (auto obstacle = find_helper_obstacle(facts)) return obstacle;
  if (auto obstacle = find_range_obstacle(facts, facts.sub_uids, "/etc/subuid")) return obstacle;
  return find_range_obstacle(facts, facts.sub_gids, "/etc/subgid");
}

}  // namespace

std::optional<Unavailable> find_obstacle(const NamespaceFacts& facts) {
  auto obstacle = find_plain_obstacle(facts);
  // Root without CAP_SYS_ADMIN is treated as any other user, but has a shorter way out.
  if (obstacle && facts.uid == 0 && !facts.is_root) {
    obstacle->hints.push_back(
        "this is root without CAP_SYS_ADMIN, as in a plain container: --cap-add SYS_ADMIN helps too");
  }
  return obstacle;
}

Unavailable explain_failure(const NamespaceFacts& facts, const std::string& what, int error_number) {
  Unavailable result;
  result.reason = error_number == 0 ? what : fmt::format("can't {}: {}", what, std::strerror(error_number));
  const bool refused = error_number == EPERM || error_number == EACCES || error_number == 0;
  if (refused && facts.apparmor_restricts.value_or(0) > 0 && !facts.is_root) {
    result.hints.push_back(
        "AppArmor restricts user namespaces here: sudo sysctl "
        "kernel.apparmor_restrict_unprivileged_userns=0, or give tektii a profile with \"userns,\"");
  }
  if (refused && facts.seccomp_filtered) {
    result.hints.push_back(
        "a seccomp filter is active, as in a container: start it with --security-opt "
        "seccomp=unconfined --security-opt apparmor=unconfined --security-opt "
        "systempaths=unconfined, or as root with --cap-add SYS_ADMIN");
  }
  if (error_number == ENOSPC)
    result.hints.push_back("sudo sysctl user.max_user_namespaces=15000 (the limit is reached)");
  if (error_number == ENODEV) result.hints.push_back("the kernel has no overlayfs: sudo modprobe overlay");
  if (error_number == EINVAL) result.hints.push_back("overlayfs with userxattr needs Linux 5.11 or later");
  return result;
}

}  // namespace tektii::exec
