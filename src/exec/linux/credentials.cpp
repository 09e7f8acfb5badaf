#include "credentials.hpp"

#include "exec/init_report.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

namespace tektii::exec {

namespace {

// The default of moby (oci/caps/defaults.go).
constexpr std::array<unsigned, 14> k_kept_capabilities{
    CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FSETID,  CAP_FOWNER,           CAP_MKNOD,      CAP_NET_RAW, CAP_SETGID,
    CAP_SETUID, CAP_SETFCAP,      CAP_SETPCAP, CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_KILL,    CAP_AUDIT_WRITE};

bool is_kept(unsigned capability) {
  return std::find(k_kept_capabilities.begin(), k_kept_capabilities.end(), capability) != k_kept_capabilities.end();
}

void drop_bounding_set() {
  // PR_CAPBSET_READ fails for the first number that this kernel does not know.
  for (unsigned capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    if (is_kept(capability)) continue;
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) throw StepFailure{Step::drop_capabilities, errno, ""};
  }
}

// Sets effective and permitted to what is left of the kept ones, inheritable and ambient to nothing.
void limit_own_capabilities() {
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
    throw StepFailure{Step::drop_capabilities, errno, ""};
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0) throw StepFailure{Step::drop_capabilities, errno, ""};
  for (unsigned word = 0; word < data.size(); ++word) {
    __u32 kept = 0;
    for (unsigned bit = 0; bit < 32; ++bit) kept |= is_kept(word * 32 + bit) ? 1U << bit : 0U;
    data[word].permitted &= kept;
    data[word].effective = data[word].permitted;
    data[word].inheritable = 0;
  }
  if (::syscall(SYS_capset, &header, data.data()) != 0) throw StepFailure{Step::drop_capabilities, errno, ""};
}

// Every capability of this process for the user of the command too, through execve().
void keep_own_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0) throw StepFailure{Step::drop_capabilities, errno, ""};
  for (__user_cap_data_struct& word : data) word.effective = word.inheritable = word.permitted;
  if (::syscall(SYS_capset, &header, data.data()) != 0) throw StepFailure{Step::drop_capabilities, errno, ""};
  for (unsigned capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    if ((data[capability / 32].permitted & (1U << (capability % 32))) == 0) continue;
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0) {
      throw StepFailure{Step::drop_capabilities, errno, ""};
    }
  }
}

void set_ids(const RunSpec& spec) {
  const std::vector<gid_t> groups(spec.supplementary_groups.begin(), spec.supplementary_groups.end());
  if (::setgroups(groups.size(), groups.data()) != 0 || ::setresgid(spec.gid, spec.gid, spec.gid) != 0 ||
      ::setresuid(spec.uid, spec.uid, spec.uid) != 0) {
    throw StepFailure{Step::set_user, errno, std::to_string(spec.uid) + ":" + std::to_string(spec.gid)};
  }
}

}  // namespace

void become_user(const RunSpec& spec) {
  const bool sandbox = spec.security == SecurityMode::sandbox;
  if (sandbox) {
    drop_bounding_set();
  } else if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) {
    throw StepFailure{Step::drop_capabilities, errno, ""};
  }
  set_ids(spec);
  if (sandbox) {
    limit_own_capabilities();
  } else {
    keep_own_capabilities();
  }
}

}  // namespace tektii::exec
