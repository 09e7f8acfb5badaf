#include "layer/layer_reader.hpp"
#include "layer/spool_file.hpp"
#include <tektii/fs/rooted_dir.hpp>
#include <tektii/layer/layer_contents.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

namespace tektii::layer {

namespace {

struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

// Wanted paths, and where their bytes are once they were read.
using Extents = std::unordered_map<std::string, std::optional<Extent>>;

class SpoolWanted : public LayerVisitor {
 public:
  SpoolWanted(const SpoolFile& spool, std::uint64_t begin, const Extents& wanted)
      : spool_(spool), end_(begin), wanted_(wanted) {}

  void visit(const LayerEntry& entry, const Content& content) override {
    if (entry.kind != LayerEntry::Kind::file || entry.metadata.type != fs::FileType::regular) return;
    const auto wanted = wanted_.find(entry.path);
    if (wanted == wanted_.end() || wanted->second) return;
    const std::uint64_t begin = end_;
    content([&](std::uint64_t offset, ByteSpan data) { spool_.write(begin + offset, data); });
    end_ += entry.metadata.size;
    // A later member of the same name takes the place of an earlier one.
    found_.insert_or_assign(entry.path, Extent{begin, entry.metadata.size});
  }

  const std::unordered_map<std::string, Extent>& found() const { return found_; }
  std::uint64_t end() const { return end_; }

 private:
  const SpoolFile& spool_;
  std::uint64_t end_;
  const Extents& wanted_;
  std::unordered_map<std::string, Extent> found_;
};

std::unique_ptr<ByteSource> open_regular(const std::filesystem::path& root, const std::string& path) {
  const fs::RootedDir directory(root);
  // O_NONBLOCK: opening a fifo must not wait for a writer.
  UniqueFd fd = directory.open_no_symlinks(path, O_RDONLY | O_NONBLOCK);
  const std::string shown = (root / path).string();
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw_errno("stat " + shown);
  if (!S_ISREG(status.st_mode)) throw Error(ErrorKind::failure, shown + ": not a regular file");
  return std::make_unique<FdSource>(std::move(fd), shown);
}

}  // namespace

struct LayerContents::Files {
  Extents extents;
  std::shared_ptr<SpoolFile> spool;
  std::uint64_t spool_end = 0;
  bool directory_fails = false;
};

struct LayerContents::Impl {
  Snapshots& snapshots;
  WithBlob with_blob;
  std::stop_token stop;
  std::map<oci::Digest, Files> layers;  // by diff_id
};

LayerContents::LayerContents(Snapshots& snapshots, WithBlob with_blob, std::stop_token stop)
    : impl_(std::make_unique<Impl>(Impl{snapshots, std::move(with_blob), std::move(stop), {}})) {}

LayerContents::~LayerContents() = default;

void LayerContents::want(const oci::Layer& layer, const std::string& path) {
  impl_->layers[layer.diff_id].extents.try_emplace(path);
}

// Where an ordinary user reads what was unpacked in a user namespace, files of other owners can be out of reach; the
// blob has them too.
std::unique_ptr<ByteSource> LayerContents::open_unpacked(const oci::Layer& layer, const std::string& path,
                                                         Files& files) {
  if (files.directory_fails || !impl_->snapshots.has_directory(layer.diff_id)) return nullptr;
  try {
    return open_regular(impl_->snapshots.directory(layer, impl_->stop), path);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    spdlog::debug("the unpacked layer can't be read, so its blob is: {}", error.what());
    files.directory_fails = true;
    return nullptr;
  }
}

void LayerContents::spool(const oci::Layer& layer, Files& files) {
  impl_->with_blob(layer, [&](const BlobOpener& blob) {
    if (!files.spool) {
      const OverlayWorkspace place = impl_->snapshots.make_workspace();
      files.spool = std::make_shared<SpoolFile>(place.upper());
    }
    // A first pass over a damaged blob left bytes where the holes of a file may be.
    files.spool->cut(files.spool_end);
    SpoolWanted visitor(*files.spool, files.spool_end, files.extents);
    visit_layer(blob, layer, visitor, impl_->stop);
    for (const auto& [path, extent] : visitor.found()) files.extents.at(path) = extent;
    files.spool_end = visitor.end();
  });
}

std::unique_ptr<ByteSource> LayerContents::open(const oci::Layer& layer, const std::string& path) {
  Files& files = impl_->layers[layer.diff_id];
  const auto wanted = files.extents.try_emplace(path).first;
  if (!wanted->second) {
    if (auto source = open_unpacked(layer, path, files)) return source;
    spool(layer, files);
  }
  if (!wanted->second) {
    throw Error(ErrorKind::failure, fmt::format("layer {} has no regular file \"{}\"", layer.blob.digest.short_hex(),
                                                escape_control(path)));
  }
  return open_spooled(files.spool, wanted->second->offset, wanted->second->size);
}

}  // namespace tektii::layer
