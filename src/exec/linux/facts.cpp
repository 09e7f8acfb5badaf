#include "diagnosis.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <linux/capability.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <vector>

namespace tektii::exec {

namespace {

// The content, or "" for a file that is missing or closed to us: then the fact is unknown.
std::string read_if_possible(const std::string& path) {
  if (::access(path.c_str(), R_OK) != 0) return {};
  try {
    return read_file(path);
  } catch (const Error&) {
    return {};
  }
}

std::optional<std::int64_t> read_sysctl(const std::string& path) {
  return parse_int(trim(read_if_possible(path)));
}

// The value of a line "Name:\t1" of /proc/self/status.
std::int64_t status_field(const std::string& status, std::string_view name) {
  for (const std::string& line : split(status, '\n')) {
    if (line.starts_with(name)) return parse_int(trim(std::string_view(line).substr(name.size()))).value_or(0);
  }
  return 0;
}

std::string find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::vector<std::string> directories = split(path == nullptr ? "" : path, ':');
  directories.insert(directories.end(), {"/usr/bin", "/bin", "/usr/local/bin"});
  for (const std::string& directory : directories) {
    const std::string candidate = directory + '/' + name;
    if (directory.starts_with('/') && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

std::string user_name_of(uid_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> buffer{};
  if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) return entry.pw_name;
  return std::to_string(uid);
}

bool has_sys_admin() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0) return false;
  return (data[0].effective & (1U << CAP_SYS_ADMIN)) != 0;
}

}  // namespace

NamespaceFacts gather_facts() {
  NamespaceFacts facts;
  facts.uid = ::geteuid();
  facts.user_name = user_name_of(facts.uid);
  facts.is_root = facts.uid == 0 && has_sys_admin();
  facts.mapped_ids = mapped_ids(read_if_possible("/proc/self/uid_map"));
  const std::string status = read_if_possible("/proc/self/status");
  facts.threads = static_cast<int>(status_field(status, "Threads:"));
  facts.seccomp_filtered = status_field(status, "Seccomp:") == 2;
  facts.no_new_privs = status_field(status, "NoNewPrivs:") == 1;
  facts.max_user_namespaces = read_sysctl("/proc/sys/user/max_user_namespaces");
  facts.unprivileged_userns_clone = read_sysctl("/proc/sys/kernel/unprivileged_userns_clone");
  facts.apparmor_restricts = read_sysctl("/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
  facts.newuidmap = find_program("newuidmap");
  facts.newgidmap = find_program("newgidmap");
  const std::string sub_uids = read_if_possible("/etc/subuid");
  const std::string sub_gids = read_if_possible("/etc/subgid");
  facts.sub_uids = find_subordinate_range(sub_uids, facts.user_name, facts.uid);
  facts.sub_gids = find_subordinate_range(sub_gids, facts.user_name, facts.uid);
  facts.first_free_id = std::max(first_free_id(sub_uids), first_free_id(sub_gids));
  return facts;
}

}  // namespace tektii::exec
