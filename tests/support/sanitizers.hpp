#pragma once

namespace tektii {

// True in a build with ThreadSanitizer. It runs a thread of its own in every process, so that no process can enter a
// user namespace (unshare(2): EINVAL with several threads), and it puts off the handler of a signal until the thread's
// next call, which never comes while that thread waits in waitpid(2).
#ifdef __SANITIZE_THREAD__
inline constexpr bool k_thread_sanitizer = true;
#else
inline constexpr bool k_thread_sanitizer = false;
#endif

}  // namespace tektii
