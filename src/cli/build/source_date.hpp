#pragma once

#include <tektii/builder/build.hpp>

#include <cstdint>
#include <string>

namespace tektii::cli {

// The times of a build (docs/reproducible.md), in seconds since 1970.
struct BuildTimes {
  std::int64_t files = 0;    // of what is in the layers, and SOURCE_DATE_EPOCH of RUN
  std::int64_t created = 0;  // of the image and its history
};

// Both are the first of: --timestamps EPOCH, --build-arg SOURCE_DATE_EPOCH, the environment's SOURCE_DATE_EPOCH, an ARG
// SOURCE_DATE_EPOCH before the first FROM. The arguments may name the context or a --build-context instead of a number.
// Without any, `created` is the commit time of the git HEAD that the context is in, and files get 1980-01-01 (the
// oldest time that zip archives can hold), as the image does outside of a repository: with the commit's time in the
// layers each commit would run every step again.
BuildTimes find_build_times(const std::string& timestamps, const builder::BuildRequest& request);

}  // namespace tektii::cli
