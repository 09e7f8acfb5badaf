#pragma once

#include <filesystem>

namespace tektii::layer {

// An unpacked layer is not synced to the disk: that would make the first RUN wait for all of its bytes, and everything
// else that the file system has to write. Instead its slot says in which boot of the machine it was written. As long as
// that lasts the kernel has what was written, whatever happened to the process; after a power cut or a crash of the
// machine files may be empty or hold zeros, so a slot of an earlier boot is not trusted and is unpacked again. The blob
// that it came from was synced.

// Signs a slot that is complete, before it gets its name.
void sign_slot(const std::filesystem::path& slot);

// True for a slot that is there and was signed since the machine started.
bool is_sound_slot(const std::filesystem::path& slot);

}  // namespace tektii::layer
