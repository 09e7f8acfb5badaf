#pragma once

#include <tektii/builder/request.hpp>

#include <cstdint>
#include <optional>

namespace tektii::cli {

// SOURCE_DATE_EPOCH as an argument may be "context" or the name of a directory that --build-context gives: the time of
// its commit (BuildKit since dockerfile 1.24). It may also be the default of an ARG before the first FROM, which counts
// when neither a --build-arg nor the environment says otherwise. Afterwards build_args has the number, or nothing when
// there is no such commit. Throws Error{usage} on another word.
void resolve_epoch_argument(builder::BuildRequest& request, std::optional<std::int64_t> commit_time);

}  // namespace tektii::cli
