#include "layer/layer_limits.hpp"
#include "layer/member_name.hpp"
#include "layer/overlay_format.hpp"
#include "layer/spool_file.hpp"
#include "layer/tar_reader.hpp"
#include <tektii/layer/tar_archive.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <memory>
#include <unordered_map>

namespace tektii::layer {

namespace {

// Remembers that the bytes themselves could not be had, which says nothing about what they are.
class WatchedSource : public ByteSource {
 public:
  explicit WatchedSource(ByteSource& source) : source_(source) {}
  bool failed() const { return failed_; }
  std::size_t read(std::span<std::byte> out) override {
    failed_ = true;
    const std::size_t n = source_.read(out);
    failed_ = false;
    return n;
  }

 private:
  ByteSource& source_;
  bool failed_ = false;
};

class StoppableSource : public ByteSource {
 public:
  StoppableSource(ByteSource& source, const std::stop_token& stop) : source_(source), stop_(stop) {}
  std::size_t read(std::span<std::byte> out) override {
    throw_if_stopped(stop_);
    return source_.read(out);
  }

 private:
  ByteSource& source_;
  const std::stop_token& stop_;
};

class Spooler {
 public:
  Spooler(ByteSource& source, const std::filesystem::path& directory)
      : reader_(source, TarReader::Filters::compressed), file_(std::make_shared<SpoolFile>(directory)) {}

  std::vector<ArchiveMember> run() {
    TarMember raw;
    while (reader_.next(raw)) {
      budget_.take_member();
      std::string path = normalise_member_name(raw.name);
      if (path.empty()) continue;  // the root keeps the attributes of the destination
      if (classify_member(path).kind != MemberName::Kind::file) {
        throw Error(ErrorKind::failure, fmt::format("entry \"{}\": names that start with \".wh.\" can't be stored in "
                                                    "a layer, where they mean that something is removed",
                                                    escape_control(path)));
      }
      add(std::move(path), raw);
    }
    return std::move(members_);
  }

 private:
  void add(std::string path, TarMember& raw) {
    ArchiveMember member;
    if (raw.is_hard_link) {
      member = link_to(raw);
    } else {
      member.metadata = std::move(raw.metadata);
      std::erase_if(member.metadata.xattrs, [](const auto& xattr) { return is_overlay_xattr(xattr.first); });
      if (member.metadata.type == fs::FileType::regular) spool_content(member);
    }
    member.path = std::move(path);
    std::size_t bytes = sizeof member + member.path.size() + member.metadata.link_target.size();
    for (const auto& [name, value] : member.metadata.xattrs) bytes += 64 + name.size() + value.size();
    budget_.take_metadata(bytes);
    positions_.insert_or_assign(member.path, members_.size());
    members_.push_back(std::move(member));
  }

  // tar also writes the second name of a symlink as a link; a layer can only hold it as a symlink of its own.
  ArchiveMember link_to(const TarMember& raw) {
    const auto target = positions_.find(normalise_member_name(raw.hard_link_target));
    if (target == positions_.end() || members_[target->second].metadata.type == fs::FileType::directory) {
      throw Error(ErrorKind::failure, fmt::format("hard link \"{}\" leads to \"{}\", which is no earlier file of the "
                                                  "archive",
                                                  escape_control(raw.name), escape_control(raw.hard_link_target)));
    }
    ArchiveMember member = members_[target->second];
    if (member.metadata.type == fs::FileType::regular && !member.hard_link_of) member.hard_link_of = target->second;
    return member;
  }

  void spool_content(ArchiveMember& member) {
    const std::uint64_t begin = end_;
    reader_.read_content([&](std::uint64_t offset, ByteSpan data) { file_->write(begin + offset, data); });
    end_ += member.metadata.size;
    member.open = [file = file_, begin, size = member.metadata.size]() -> std::unique_ptr<ByteSource> {
      return open_spooled(file, begin, size);
    };
  }

  TarReader reader_;
  std::shared_ptr<SpoolFile> file_;
  std::vector<ArchiveMember> members_;
  std::unordered_map<std::string, std::size_t> positions_;
  std::uint64_t end_ = 0;
  TarBudget budget_;
};

}  // namespace

bool is_tar_archive(ByteSource& source) {
  WatchedSource watched(source);
  try {
    TarReader reader(watched, TarReader::Filters::compressed);
    TarMember first;
    return reader.next(first);
  } catch (const Error&) {
    if (watched.failed()) throw;
    return false;
  }
}

std::vector<ArchiveMember> spool_tar_archive(ByteSource& source, const std::filesystem::path& directory,
                                             const std::stop_token& stop) {
  StoppableSource stoppable(source, stop);
  return Spooler(stoppable, directory).run();
}

}  // namespace tektii::layer
