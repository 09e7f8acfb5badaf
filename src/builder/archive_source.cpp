#include "archive_source.hpp"

#include <tektii/layer/tar_archive.hpp>
#include <tektii/util/error.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace tektii::builder {
namespace {

// The key of a step has the archive's content; nobody asks for that of a member.
class MemberFile : public SourceFile {
 public:
  MemberFile(BlobOpener opener, std::string id) : opener_(std::move(opener)), id_(std::move(id)) {}
  std::unique_ptr<ByteSource> open() override { return opener_(); }
  std::string content_id() override { return id_; }

 private:
  BlobOpener opener_;
  std::string id_;
};

class ArchiveSource : public CopySource {
 public:
  ArchiveSource(BlobOpener archive, layer::Snapshots& snapshots, std::optional<std::int64_t> latest_mtime,
                std::stop_token stop)
      : archive_(std::move(archive)), snapshots_(snapshots), latest_mtime_(latest_mtime), stop_(std::move(stop)) {}

  void visit(const std::string&, const Visitor& visitor, const Prune&) override {
    SourceEntry root;
    root.metadata.type = fs::FileType::directory;
    visitor(std::move(root));
    const auto members = read_members();
    std::set<std::size_t> linked;
    for (const auto& member : members) {
      if (member.hard_link_of) linked.insert(*member.hard_link_of);
    }
    for (std::size_t i = 0; i < members.size(); ++i) {
      const auto& member = members[i];
      SourceEntry entry;
      entry.relative_path = member.path;
      entry.metadata = member.metadata;
      if (latest_mtime_) entry.metadata.mtime = std::min(entry.metadata.mtime, *latest_mtime_);
      if (member.open) entry.file = std::make_shared<MemberFile>(member.open, member.path);
      if (member.hard_link_of || linked.contains(i)) entry.link_id = std::to_string(member.hard_link_of.value_or(i));
      visitor(std::move(entry));
    }
  }

 private:
  std::vector<layer::ArchiveMember> read_members() const {
    const auto source = archive_();
    const auto workspace = snapshots_.make_workspace();
    auto members = layer::spool_tar_archive(*source, workspace.upper(), stop_);
    // To the end of the file, where the source says whether it is still the one that the key was made of.
    std::vector<std::byte> rest(std::size_t{64} << 10U);
    while (source->read(rest) != 0) throw_if_stopped(stop_);
    return members;
  }

  BlobOpener archive_;
  layer::Snapshots& snapshots_;
  std::optional<std::int64_t> latest_mtime_;
  std::stop_token stop_;
};

}  // namespace

std::unique_ptr<CopySource> make_archive_source(BlobOpener archive, layer::Snapshots& snapshots,
                                                std::optional<std::int64_t> latest_mtime, std::stop_token stop) {
  return std::make_unique<ArchiveSource>(std::move(archive), snapshots, latest_mtime, std::move(stop));
}

}  // namespace tektii::builder
