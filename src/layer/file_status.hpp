#pragma once

#include <tektii/fs/file_metadata.hpp>

#include <sys/stat.h>

#include <string>
#include <string_view>

namespace tektii::layer {

// What a layer says of a name in an open directory, of which `status` was just read: its link target and extended
// attributes are read here. `shown` is the path for error messages. Throws Error.
fs::FileMetadata read_metadata_at(int parent, const std::string& name, const struct stat& status,
                                  const std::string& shown);

// What content of an image an extended attribute can be. Labels of the host's security policy and what root alone can
// see would make the layer depend on who builds it where.
bool is_layer_xattr(std::string_view name);

// Metadata without the attributes that are no content.
fs::FileMetadata comparable(fs::FileMetadata metadata);

}  // namespace tektii::layer
