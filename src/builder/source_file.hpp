#pragma once

#include <tektii/fs/file_metadata.hpp>
#include <tektii/util/stream.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace tektii::builder {

// What is in a regular file that a COPY takes. Usable as long as the source that it is from.
class SourceFile {
 public:
  virtual ~SourceFile() = default;
  virtual std::unique_ptr<ByteSource> open() = 0;
  // Equal only for equal bytes, and equal attributes of those that complete() adds.
  virtual std::string content_id() = 0;
  // Says that open() will be called. Sources that read many files in one pass want to know of all of them before the
  // first one is opened.
  virtual void announce() {}
  // Adds what a visit does not tell, because a look into the file tells it for less. After open() it costs nothing.
  virtual void complete(fs::FileMetadata&) {}
};

// Calls use(metadata, opener) with all that there is to know of a file; `file` is nullptr for what is not regular. The
// opener is good for one stream.
template <typename Use>
void with_completed(SourceFile* file, fs::FileMetadata metadata, const Use& use) {
  if (file == nullptr) return use(std::move(metadata), BlobOpener{});
  std::unique_ptr<ByteSource> opened;
  if (metadata.size != 0) opened = file->open();
  file->complete(metadata);
  use(std::move(metadata), BlobOpener([&] { return opened ? std::move(opened) : file->open(); }));
}

}  // namespace tektii::builder
