#pragma once

#include <tektii/fs/file_metadata.hpp>
#include <tektii/util/stream.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

struct archive;
struct archive_entry;

namespace tektii::layer {

// A member as the tar has it: names are raw bytes, nothing is normalised or trusted.
struct TarMember {
  std::string name;
  fs::FileMetadata metadata;
  bool is_hard_link = false;
  std::string hard_link_target;
};

// Reads a tar (ustar, PAX, GNU, with sparse files) from a stream with libarchive. Names come out as the bytes that are
// in the file, whatever the locale: libarchive would change UTF-8 names to the locale's charset and normal form.
// Errors name the member. Neither copied nor moved: libarchive keeps its address.
class TarReader {
 public:
  // What may be around the tar: nothing (layers are decompressed before), or gzip, bzip2, xz or zstd, which is then
  // told by the first bytes. A stream of no bytes is a tar without members only where nothing may be around it.
  enum class Filters { none, compressed };

  explicit TarReader(ByteSource& source, Filters filters = Filters::none);
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;
  ~TarReader();

  // The next member, or false at the end of the tar. Content of the last member that was not read is skipped.
  bool next(TarMember& member);
  // Content of the current member, in rising order of `offset`; gaps are holes of a sparse file. Throws when the bytes
  // go beyond the member's size.
  void read_content(const std::function<void(std::uint64_t offset, ByteSpan data)>& sink);

 private:
  static std::ptrdiff_t read_callback(archive* handle, void* self, const void** data);
  [[noreturn]] void fail();
  void read_metadata(archive_entry* entry, TarMember& member);
  void read_xattrs(archive_entry* entry, TarMember& member);

  ByteSource& source_;
  std::vector<std::byte> buffer_;
  std::exception_ptr source_error_;
  std::unique_ptr<archive, int (*)(archive*)> handle_;
  std::string name_;
  std::uint64_t size_ = 0;
};

}  // namespace tektii::layer
