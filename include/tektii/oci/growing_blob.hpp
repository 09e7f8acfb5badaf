#pragma once

#include <tektii/oci/descriptor.hpp>
#include <tektii/util/stream.hpp>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

namespace tektii::oci {

// A blob that is read while it is still being written, so that it can be sent before its digest is known. One writer,
// any number of readers; thread-safe.
class GrowingBlob {
 public:
  // `written` opens a stream over what has been written by then and, as it is read, over what has been added since; its
  // end is only the end of what is there at the moment.
  explicit GrowingBlob(BlobOpener written) : written_(std::move(written)) {}

  // The writer's side: so many bytes can be read by now; that was all, and this is the blob; or it will never be one.
  void grew(std::uint64_t size);
  void seal(const Descriptor& blob);
  void drop();

  // From the first byte to the end of the sealed blob. read() waits for what is not there yet, and throws
  // Error{interrupted} when the blob is dropped or on stop. Must not outlive this object.
  std::unique_ptr<ByteSource> open(const std::stop_token& stop);
  std::optional<Descriptor> sealed() const;
  // Waits for the outcome; nullopt when the blob is dropped. Throws Error{interrupted} on stop.
  std::optional<Descriptor> wait(const std::stop_token& stop);

 private:
  class Source;
  // How many bytes beyond `position` can be read; waits until there are some. 0 is the end.
  std::uint64_t wait_beyond(std::uint64_t position, const std::stop_token& stop);

  BlobOpener written_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::uint64_t size_ = 0;
  std::optional<Descriptor> sealed_;
  bool dropped_ = false;
};

}  // namespace tektii::oci
