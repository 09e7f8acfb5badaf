#pragma once

#include <tektii/exec/executor.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace tektii::exec {

// Puts this process, which must still be single-threaded, into private namespaces in which it can own files and mount:
//   root:          a private mount namespace only
//   other users:   a user namespace with the id 0 mapped to the caller and 1.. to the subuid range (newuidmap and
//                  newgidmap, run by a child that stays outside), and a mount namespace
// The process id, working directory and environment stay. Every mount made later goes away with the process, also after
// SIGKILL. Returns nullopt on success, else what is missing (the process is unchanged then).
std::optional<Unavailable> enter_build_namespace();

// Tries whether overlayfs takes directories beside `directory` (empty, on the file system of the layers) and writes to
// them, in a child that leaves nothing; some milliseconds. After enter_build_namespace(), and still single-threaded.
// Returns why not; then commands can be run with Rootfs::root_dir alone.
std::optional<Unavailable> probe_overlay(const std::filesystem::path& directory);

// The `userns` tier: pid, ipc, uts and mount namespaces, native overlayfs with userxattr. `entered` is the result of
// enter_build_namespace(), reported by unavailable_reason().
std::unique_ptr<Executor> make_userns_executor(std::optional<Unavailable> entered);

// The hidden entry point that main() hands over to before anything else when argv[1] is k_init_command: the
// single-threaded init of a run. Returns the exit code of the process.
inline constexpr const char* k_init_command = "__tektii-init";
int init_main(int argc, char** argv);

}  // namespace tektii::exec
