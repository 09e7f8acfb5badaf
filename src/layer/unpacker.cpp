#include "layer/unpacker.hpp"

#include "layer/file_attributes.hpp"
#include "layer/member_name.hpp"
#include "layer/overlay_format.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace tektii::layer {

namespace {

std::optional<struct stat> stat_at(int parent, const std::string& name) {
  struct stat status {};
  if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return status;
  if (errno == ENOENT) return std::nullopt;
  throw_errno("stat " + name);
}

bool is_whiteout(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

mode_t node_type(fs::FileType type) {
  switch (type) {
    case fs::FileType::char_device:
      return S_IFCHR;
    case fs::FileType::block_device:
      return S_IFBLK;
    default:
      return S_IFIFO;
  }
}

void write_at(int fd, ByteSpan data, std::uint64_t offset, const std::string& shown) {
  while (!data.empty()) {
    const ssize_t n = ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
    if (n < 0) {
      if (errno == EINTR) continue;
      throw_errno("write " + shown);
    }
    data = data.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

}  // namespace

Unpacker::Unpacker(const std::filesystem::path& directory, bool plain)
    : directories_(directory, "layer"), plain_(plain) {
  directories_.set("", implicit_directory());
}

void Unpacker::visit(const LayerEntry& entry, const Content& content) {
  switch (entry.kind) {
    case LayerEntry::Kind::file:
      put_file(entry, content);
      break;
    case LayerEntry::Kind::hard_link:
      put_hard_link(entry);
      break;
    case LayerEntry::Kind::whiteout:
      put_whiteout(entry.path);
      break;
    case LayerEntry::Kind::opaque:
      make_opaque(entry.path);
      break;
  }
}

void Unpacker::finish() {
  if (!left_out_.empty()) {
    spdlog::warn("{} device nodes can't be made in a user namespace and are left out (the first is {})",
                 left_out_.size(), escape_control(*left_out_.begin()));
  }
  directories_.finish([](int fd, const std::string& path, const fs::FileMetadata& metadata) {
    set_attributes(fd, metadata, '/' + path);
  });
}

void Unpacker::put_file(const LayerEntry& entry, const Content& content) {
  left_out_.erase(entry.path);
  if (entry.metadata.type == fs::FileType::directory) {
    put_directory(entry);
  } else if (entry.metadata.type == fs::FileType::regular) {
    put_regular(entry, content);
  } else {
    put_special(entry);
  }
}

void Unpacker::put_directory(const LayerEntry& entry) {
  if (!entry.path.empty()) {
    const Place place = place_of(entry.path);
    if (::mkdirat(place.parent, place.name.c_str(), 0700) != 0) {
      if (errno != EEXIST) throw_errno("create directory " + entry.path);
      const std::optional<struct stat> status = stat_at(place.parent, place.name);
      if (!status || !S_ISDIR(status->st_mode)) {
        // What the layer had here before, or its whiteout, hides everything below the layer, and so must the directory.
        remove_earlier(entry.path);
        const Place again = place_of(entry.path);
        if (::mkdirat(again.parent, again.name.c_str(), 0700) != 0) throw_errno("create directory " + entry.path);
        mark_opaque(enter_or_make(entry.path), entry.path);
      }
    }
  }
  directories_.set(entry.path, entry.metadata);
}

void Unpacker::put_regular(const LayerEntry& entry, const Content& content) {
  constexpr int k_flags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC;
  Place place = place_of(entry.path);
  UniqueFd fd(::openat(place.parent, place.name.c_str(), k_flags, 0600));
  if (!fd && errno == EEXIST) {
    remove_earlier(entry.path);
    place = place_of(entry.path);
    fd.reset(::openat(place.parent, place.name.c_str(), k_flags, 0600));
  }
  if (!fd) throw_errno("create " + entry.path);
  std::uint64_t end = 0;
  content([&](std::uint64_t offset, ByteSpan data) {
    write_at(fd.get(), data, offset, entry.path);
    end = offset + data.size();
  });
  if (end < entry.metadata.size && ::ftruncate(fd.get(), static_cast<off_t>(entry.metadata.size)) != 0) {
    throw_errno("resize " + entry.path);
  }
  set_attributes(fd.get(), entry.metadata, entry.path);
}

bool Unpacker::make_node(const Place& place, const LayerEntry& entry) {
  if (entry.metadata.type == fs::FileType::symlink) {
    return ::symlinkat(entry.metadata.link_target.c_str(), place.parent, place.name.c_str()) == 0;
  }
  return ::mknodat(place.parent, place.name.c_str(), node_type(entry.metadata.type) | 0600U,
                   makedev(entry.metadata.device_major, entry.metadata.device_minor)) == 0;
}

void Unpacker::put_special(const LayerEntry& entry) {
  if (is_overlay_whiteout(entry.metadata)) {
    // As a device it would read as a whiteout once it is mounted.
    spdlog::warn("device node {} with the number 0/0 is left out", escape_control(entry.path));
    return;
  }
  Place place = place_of(entry.path);
  bool made = make_node(place, entry);
  if (!made && errno == EEXIST) {
    remove_earlier(entry.path);
    place = place_of(entry.path);
    made = make_node(place, entry);
  }
  if (made) {
    set_attributes_at(place.parent, place.name, entry.metadata, entry.path);
    return;
  }
  const bool is_device =
      entry.metadata.type == fs::FileType::char_device || entry.metadata.type == fs::FileType::block_device;
  if (!is_device || errno != EPERM) throw_errno("create " + entry.path);
  left_out_.insert(entry.path);
}

void Unpacker::put_hard_link(const LayerEntry& entry) {
  if (left_out_.contains(entry.hard_link_target)) {
    left_out_.insert(entry.path);
    return;
  }
  const std::string target_name(base_name(entry.hard_link_target));
  const std::optional<int> target_parent = directories_.enter_target(parent_path(entry.hard_link_target));
  const std::optional<struct stat> target = target_parent ? stat_at(*target_parent, target_name) : std::nullopt;
  if (!target || S_ISDIR(target->st_mode) || is_whiteout(*target)) {
    throw Error(ErrorKind::failure, fmt::format("hard link \"{}\" leads to \"{}\", which is no file of the same layer",
                                                escape_control(entry.path), escape_control(entry.hard_link_target)));
  }
  Place place = place_of(entry.path);
  int result = ::linkat(*target_parent, target_name.c_str(), place.parent, place.name.c_str(), 0);
  if (result != 0 && errno == EEXIST) {
    remove_earlier(entry.path);
    place = place_of(entry.path);
    const std::optional<int> again = directories_.enter_target(parent_path(entry.hard_link_target));
    result = again ? ::linkat(*again, target_name.c_str(), place.parent, place.name.c_str(), 0) : -1;
  }
  if (result != 0) throw_errno(fmt::format("link {} to {}", entry.path, entry.hard_link_target));
}

void Unpacker::mark_opaque(int fd, const std::string& path) {
  if (plain_) {
    left_marks_out_ = true;
  } else {
    set_overlay_opaque(fd, path);
  }
}

void Unpacker::put_whiteout(const std::string& path) {
  if (plain_) {
    left_marks_out_ = true;
    return;
  }
  const Place place = place_of(path);
  if (::mknodat(place.parent, place.name.c_str(), S_IFCHR | 0600U, makedev(0, 0)) == 0) return;
  if (errno != EEXIST) throw_errno("create whiteout " + path);
  // A whiteout acts on what is below the layer. What the layer itself has there stays; it hides the rest already,
  // unless both are directories.
  const std::optional<struct stat> status = stat_at(place.parent, place.name);
  if (status && S_ISDIR(status->st_mode)) make_opaque(path);
}

void Unpacker::make_opaque(const std::string& path) {
  mark_opaque(enter_or_make(path), path);
}

Unpacker::Place Unpacker::place_of(std::string_view path) {
  const int parent = enter_or_make(parent_path(path));
  return {parent, std::string(base_name(path))};
}

int Unpacker::enter_or_make(std::string_view directory) {
  return directories_.enter_or_make(directory, [this](int parent, const std::string& name, const std::string& path) {
    const std::optional<struct stat> status = stat_at(parent, name);
    if (!status || !is_whiteout(*status)) return false;
    // Removed below, and made anew here.
    LayerEntry entry;
    entry.path = path;
    entry.metadata = implicit_directory();
    put_directory(entry);
    return true;
  });
}

void Unpacker::remove_earlier(std::string_view path) {
  directories_.remove(path);
  left_out_.erase(std::string(path));
}

}  // namespace tektii::layer
