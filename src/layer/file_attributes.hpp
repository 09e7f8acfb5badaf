#pragma once

#include <tektii/fs/file_metadata.hpp>

#include <map>
#include <string>

namespace tektii::layer {

// Setting what a tar says about a file. `shown` is the path for error messages. All throw Error; an attribute that the
// file system or the namespace can't hold gets a hint.

// Owner, extended attributes, mode and time of an open file or directory, in the order that the kernel needs: chown
// clears capabilities and set-id bits.
void set_attributes(int fd, const fs::FileMetadata& metadata, const std::string& shown);

// The same for a name in a directory that is not opened (symlinks, device nodes, fifos).
void set_attributes_at(int parent, const std::string& name, const fs::FileMetadata& metadata, const std::string& shown);

// Access and modification time, whole seconds, of the name itself.
void set_mtime_at(int parent, const std::string& name, std::int64_t mtime, const std::string& shown);

// Marks an open directory for overlayfs.
void set_overlay_opaque(int fd, const std::string& shown);

}  // namespace tektii::layer
