#pragma once

#include "api/caller.hpp"
#include <tektii/util/stream.hpp>

#include <stop_token>

namespace tektii::api {

// Streams the answer of a GET to the sink, whatever its length. See Client::download_results.
void download(Caller& caller, const Call& call, ByteSink& sink, const DownloadProgress& progress,
              const std::stop_token& stop);

}  // namespace tektii::api
