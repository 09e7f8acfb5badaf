#pragma once

#include <tektii/util/stream.hpp>

#include <functional>
#include <memory>
#include <stop_token>

namespace tektii {

// Turns a producer that writes to a sink into a stream to read from: `produce` runs on a thread of its own and waits
// while a few MiB are not read yet. The end of the stream is reached when `produce` has returned; what it throws is
// thrown by read(), by every one that follows too. When the source is destroyed before its end, the token that
// `produce` was handed is stopped, its writes throw Error{interrupted}, and the destructor waits for it. A stop of
// `stop` is passed on. One reader.
std::unique_ptr<ByteSource> make_pushed_source(std::function<void(ByteSink&, const std::stop_token&)> produce,
                                               const std::stop_token& stop);

}  // namespace tektii
