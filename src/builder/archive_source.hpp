#pragma once

#include "copy_source.hpp"
#include <tektii/layer/snapshots.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>

namespace tektii::builder {

// The members of a tar (see layer::spool_tar_archive) in the order of the archive, below a root of their own; what they
// hold is spooled on the file system of the snapshots. Times later than `latest_mtime` become it; nullopt keeps them.
std::unique_ptr<CopySource> make_archive_source(BlobOpener archive, layer::Snapshots& snapshots,
                                                std::optional<std::int64_t> latest_mtime, std::stop_token stop);

}  // namespace tektii::builder
