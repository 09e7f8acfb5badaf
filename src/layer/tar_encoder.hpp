#pragma once

#include <tektii/fs/file_metadata.hpp>
#include <tektii/util/stream.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace tektii::layer {

// Writes a tar. The format is spelled out here instead of being left to a library, because these bytes are what a
// diff_id is the hash of: the digest of one commit may not change with a library upgrade or with the locale.
//
// ustar headers (POSIX.1-1988), and a PAX extended header (POSIX.1-2001) only where ustar can't say it: names above 100
// bytes or not ASCII, sizes above 8 GiB, ids above 2097151, times before 1970 or after 2242, xattrs (SCHILY.xattr.*).
// PAX records are sorted by keyword. Owner names are empty; device numbers are there for device nodes only. The ustar
// prefix field is never used: a PAX path says the same without the rules about where a name may be cut.
class TarEncoder {
 public:
  explicit TarEncoder(ByteSink& next) : next_(next) {}

  // A header; a regular file with a size above zero is followed by write_content() until its size is reached.
  // `path` is relative, without a trailing slash. Throws Error{failure} for a socket and for what PAX can't hold.
  void add(const std::string& path, const fs::FileMetadata& metadata);
  // `metadata` is that of the file that the link leads to.
  void add_hard_link(const std::string& path, const std::string& target, const fs::FileMetadata& metadata);
  // The next bytes of the file that was added last. Writing more than its size is a logic error.
  void write_content(ByteSpan data);
  // The same for bytes that the caller has put into the next sink itself.
  void content_written(std::uint64_t count);
  std::uint64_t missing_content() const { return content_left_; }

  // Two zero blocks; finish() of the next sink, which gets many small writes, is not called.
  void end();

 private:
  struct Header;
  void put_header(Header header);
  void put_pax_records(const std::map<std::string, std::string>& records);
  void put(ByteSpan data) { next_.write(data); }
  void pad_to_block(std::uint64_t size);

  ByteSink& next_;
  std::uint64_t content_size_ = 0;
  std::uint64_t content_left_ = 0;
};

}  // namespace tektii::layer
