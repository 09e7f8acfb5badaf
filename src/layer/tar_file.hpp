#pragma once

#include "layer/spool_file.hpp"
#include <tektii/util/stream.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace tektii::layer {

// The files of a tar on disk, read where they are. Nothing is unpacked, so a name can't lead anywhere: links are
// followed within the archive. A tar that is compressed as a whole is decompressed into a nameless file in `scratch`
// first. Thread-safe once it is made.
class TarFile {
 public:
  // Throws Error{usage} when the file is not there, Error{failure} when it is no tar or has more than 100,000 members.
  TarFile(const std::filesystem::path& file, const std::filesystem::path& scratch, const std::stop_token& stop);

  // Of a regular file; nullopt when there is none of the name. Of two of one name the later counts.
  std::optional<std::uint64_t> size_of(const std::string& name) const;
  // Throws Error{failure} when there is no regular file of the name. The source keeps the file open.
  std::unique_ptr<ByteSource> open(const std::string& name) const;

 private:
  struct Member {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::string link;  // the member that has the content, when it is not this one
  };
  class Bytes;

  void read_members(const std::stop_token& stop);
  const Member* find(const std::string& name) const;

  std::string shown_;
  std::shared_ptr<const Bytes> bytes_;
  std::map<std::string, Member> members_;
};

}  // namespace tektii::layer
