#pragma once

#include <tektii/builder/build.hpp>

#include <cstdint>
#include <string>

namespace tektii::cli {

// The time that files of the build get (docs/reproducible.md), in seconds since 1970. First of: --timestamps EPOCH,
// --build-arg SOURCE_DATE_EPOCH, the environment's SOURCE_DATE_EPOCH, the commit time of the git HEAD that the context
// is in, 1980-01-01 (the oldest time that zip archives can hold).
std::int64_t find_source_date_epoch(const std::string& timestamps, const builder::BuildRequest& request);

}  // namespace tektii::cli
