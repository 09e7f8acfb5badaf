#include "layer/extract_within.hpp"
#include "layer/member_name.hpp"
#include "layer/tar_directories.hpp"
#include "layer/tar_reader.hpp"
#include <tektii/layer/extract.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

namespace tektii::layer {

namespace {

constexpr std::size_t k_checksum_offset = 148;
constexpr std::size_t k_checksum_size = 8;

template <std::size_t N>
bool starts_with(ByteSpan head, const std::array<unsigned char, N>& magic) {
  return head.size() >= N && std::equal(magic.begin(), magic.end(), head.begin(), [](unsigned char a, std::byte b) {
           return a == std::to_integer<unsigned char>(b);
         });
}

bool has_compression_magic(ByteSpan head) {
  constexpr std::array<unsigned char, 3> k_gzip = {0x1f, 0x8b, 0x08};
  constexpr std::array<unsigned char, 3> k_bzip2 = {'B', 'Z', 'h'};
  constexpr std::array<unsigned char, 6> k_xz = {0xfd, '7', 'z', 'X', 'Z', 0};
  constexpr std::array<unsigned char, 4> k_zstd = {0x28, 0xb5, 0x2f, 0xfd};
  // A zstd stream may begin with a skippable frame (RFC 8878 section 3.1.2).
  constexpr std::array<unsigned char, 3> k_zstd_skippable = {0x2a, 0x4d, 0x18};
  const bool skippable = head.size() >= 4 && (std::to_integer<unsigned>(head[0]) & 0xf0U) == 0x50U &&
                         starts_with(head.subspan(1), k_zstd_skippable);
  return starts_with(head, k_gzip) || starts_with(head, k_bzip2) || starts_with(head, k_xz) ||
         starts_with(head, k_zstd) || skippable;
}

// POSIX pax, "ustar Interchange Format": the sum of the header's bytes, the field itself taken as blanks. Old programs
// added signed bytes.
bool has_tar_checksum(ByteSpan head) {
  if (head.size() < k_archive_head) return false;
  std::int64_t unsigned_sum = 0;
  std::int64_t signed_sum = 0;
  std::int64_t stored = 0;
  bool any_digit = false;
  for (std::size_t i = 0; i < k_archive_head; ++i) {
    const bool in_field = i >= k_checksum_offset && i < k_checksum_offset + k_checksum_size;
    const auto byte = std::to_integer<unsigned char>(head[i]);
    if (in_field && byte >= '0' && byte <= '7') {
      stored = stored * 8 + (byte - '0');
      any_digit = true;
    } else if (in_field && byte != ' ' && byte != 0) {
      return false;
    }
    unsigned_sum += in_field ? ' ' : byte;
    signed_sum += in_field ? ' ' : static_cast<signed char>(byte);
  }
  return any_digit && (stored == unsigned_sum || stored == signed_sum);
}

class Extraction {
 public:
  Extraction(const std::filesystem::path& directory, TarBudget budget)
      : directories_(directory, "archive", budget), budget_(budget) {}

  void put(const TarMember& member, TarReader& reader, const std::stop_token& stop) {
    budget_.take_member();
    const std::string path = normalise_member_name(member.name);
    ++report_.entries;
    if (member.is_hard_link) return put_hard_link(path, normalise_member_name(member.hard_link_target));
    switch (member.metadata.type) {
      case fs::FileType::directory:
        return put_directory(path, member.metadata);
      case fs::FileType::regular:
        return put_regular(path, member.metadata, reader, stop);
      case fs::FileType::symlink:
        return put_symlink(path, member.metadata);
      default:
        ++report_.left_out;
    }
  }

  // What has to wait until nothing is written any more: a directory's time changes with what is made in it.
  ExtractReport finish() {
    directories_.finish([](int fd, const std::string& path, const fs::FileMetadata& metadata) {
      if (::fchmod(fd, metadata.mode | 0700U) != 0) throw_errno("chmod " + path);
      set_time(fd, metadata.mtime, path);
    });
    return report_;
  }

 private:
  struct Place {
    int parent;
    std::string name;
  };

  // Frees the name in its directory, which is made when the archive leaves it out.
  Place place_for(const std::string& path) {
    if (path.empty()) throw Error(ErrorKind::failure, "an entry that is no directory has the name of the root");
    const int parent = directories_.enter_or_make(parent_path(path));
    std::string name(base_name(path));
    struct stat status {};
    if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return {parent, std::move(name)};
    if (!S_ISDIR(status.st_mode)) {
      if (::unlinkat(parent, name.c_str(), 0) != 0) throw_errno("replace " + path);
      return {parent, std::move(name)};
    }
    directories_.remove(path);
    return {directories_.enter_or_make(parent_path(path)), std::move(name)};
  }

  void put_directory(const std::string& path, const fs::FileMetadata& metadata) {
    if (path.empty()) return;  // the mode of the context itself means nothing
    const int parent = directories_.enter_or_make(parent_path(path));
    const std::string name(base_name(path));
    struct stat status {};
    const bool is_there = ::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (!is_there || !S_ISDIR(status.st_mode)) {
      const Place place = place_for(path);
      if (::mkdirat(place.parent, place.name.c_str(), 0700) != 0) throw_errno("create directory " + path);
    }
    directories_.set(path, metadata);
  }

  void put_regular(const std::string& path, const fs::FileMetadata& metadata, TarReader& reader,
                   const std::stop_token& stop) {
    const Place place = place_for(path);
    const UniqueFd fd(
        ::openat(place.parent, place.name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) throw_errno("create " + path);
    std::uint64_t end = 0;
    reader.read_content([&](std::uint64_t offset, ByteSpan data) {
      throw_if_stopped(stop);
      if (::lseek(fd.get(), static_cast<off_t>(offset), SEEK_SET) < 0) throw_errno("write " + path);
      write_fully(fd.get(), data, path);
      end = offset + data.size();
    });
    if (end < metadata.size && ::ftruncate(fd.get(), static_cast<off_t>(metadata.size)) != 0) {
      throw_errno("resize " + path);
    }
    if (::fchmod(fd.get(), metadata.mode | 0400U) != 0) throw_errno("chmod " + path);
    set_time(fd.get(), metadata.mtime, path);
    report_.newest_file = std::max(report_.newest_file, metadata.mtime);
  }

  void put_symlink(const std::string& path, const fs::FileMetadata& metadata) {
    const Place place = place_for(path);
    if (::symlinkat(metadata.link_target.c_str(), place.parent, place.name.c_str()) != 0) {
      throw_errno("create symlink " + path);
    }
    const std::array<timespec, 2> times = {timespec{metadata.mtime, 0}, timespec{metadata.mtime, 0}};
    if (::utimensat(place.parent, place.name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
      throw_errno("set the time of " + path);
    }
  }

  void put_hard_link(const std::string& path, const std::string& target) {
    if (path == target) return;
    const std::string target_name(base_name(target));
    struct stat status {};
    std::optional<int> parent = directories_.enter_target(parent_path(target));
    if (!parent || ::fstatat(*parent, target_name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        S_ISDIR(status.st_mode)) {
      throw Error(ErrorKind::failure,
                  fmt::format("hard link \"{}\" leads to \"{}\", which is no earlier file of the same archive",
                              escape_control(path), escape_control(target)));
    }
    const Place place = place_for(path);
    parent = directories_.enter_target(parent_path(target));
    if (!parent || ::linkat(*parent, target_name.c_str(), place.parent, place.name.c_str(), 0) != 0) {
      throw_errno(fmt::format("link {} to {}", path, target));
    }
  }

  static void set_time(int fd, std::int64_t mtime, const std::string& path) {
    const std::array<timespec, 2> times = {timespec{mtime, 0}, timespec{mtime, 0}};
    if (::futimens(fd, times.data()) != 0) throw_errno("set the time of " + path);
  }

  TarDirectories directories_;
  TarBudget budget_;  // for the members
  ExtractReport report_;
};

}  // namespace

bool looks_like_archive(ByteSpan head) {
  return has_compression_magic(head) || has_tar_checksum(head);
}

ExtractReport extract_within(TarBudget budget, ByteSource& source, const std::filesystem::path& directory,
                             const std::stop_token& stop) {
  TarReader reader(source, TarReader::Filters::compressed);
  Extraction extraction(directory, budget);
  TarMember member;
  while (reader.next(member)) {
    throw_if_stopped(stop);
    extraction.put(member, reader, stop);
  }
  return extraction.finish();
}

ExtractReport extract_archive(ByteSource& source, const std::filesystem::path& directory, const std::stop_token& stop) {
  return extract_within(TarBudget(), source, directory, stop);
}

}  // namespace tektii::layer
