#include "layer/tree_maker.hpp"

#include "layer/file_attributes.hpp"
#include "layer/member_name.hpp"
#include "layer/overlay_format.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

namespace tektii::layer {

namespace {

using fs::FileType;

constexpr std::uint64_t k_stat_block = 512;

mode_t node_type(FileType type) {
  switch (type) {
    case FileType::char_device:
      return S_IFCHR;
    case FileType::block_device:
      return S_IFBLK;
    default:
      return S_IFIFO;
  }
}

bool is_device(FileType type) {
  return type == FileType::char_device || type == FileType::block_device;
}

}  // namespace

UniqueFd UnpackedFiles::open(const FileTree::Node& node) {
  if (!node.layer) throw Error(ErrorKind::failure, "a file of no layer has no bytes");
  auto& layer = layers_[*node.layer];
  if (!layer) layer = std::make_unique<DirStack>(directory_(*node.layer));
  const std::string& path = node.path_in_layer;
  const std::optional<int> parent = layer->enter(parent_path(path));
  const std::string name(base_name(path));
  UniqueFd fd(parent ? ::openat(*parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1);
  if (!fd) throw_errno("open " + (layer->root() / path).string());
  return fd;
}

TreeMaker::TreeMaker(const FileTree& tree, UnpackedFiles& files, FileCopier& copier, const std::stop_token& stop)
    : tree_(tree), files_(files), copier_(copier), stop_(stop) {}

void TreeMaker::make_children(const FileTree::Node& directory, const std::string& path, DirStack& root, int into) {
  for (const auto& [name, node] : directory.children()) {
    throw_if_stopped(stop_);
    std::string below = path.empty() ? std::string(name) : fmt::format("{}/{}", path, name);
    make(*node, below, std::string(name), root, into);
  }
}

void TreeMaker::make(const FileTree::Node& node, const std::string& path, const std::string& name, DirStack& root,
                     int into) {
  ++made_;
  switch (node.metadata.type) {
    case FileType::directory:
      return make_directory(node, path, name, root, into);
    case FileType::regular:
      return make_regular(node, path, name, root, into);
    case FileType::socket:
      return;  // no layer has one
    default:
      return make_special(node, path, name, into);
  }
}

// Its attributes come last: what is made in it changes its time, and its mode may shut us out.
void TreeMaker::make_directory(const FileTree::Node& node, const std::string& path, const std::string& name,
                               DirStack& root, int into) {
  if (::mkdirat(into, name.c_str(), 0700) != 0) throw_errno("create directory /" + path);
  const UniqueFd directory(::openat(into, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) throw_errno("open directory /" + path);
  make_children(node, path, root, directory.get());
  set_attributes(directory.get(), node.metadata, "/" + path);
}

std::optional<std::string> TreeMaker::earlier_name(const FileTree::Node& node, const std::string& path) {
  if (!node.layer) return std::nullopt;
  const bool is_link = node.path_in_layer != path;
  if (!is_link && first_names_.empty()) return std::nullopt;
  const auto known = first_names_.find({*node.layer, node.path_in_layer});
  if (known != first_names_.end()) return known->second;
  if (!is_link) return std::nullopt;
  // The name under which the layer has the bytes, where the tree still has it and it came before.
  const FileTree::Node* holder = tree_.find(node.path_in_layer);
  const bool is_same = holder != nullptr && holder->layer == node.layer && holder->path_in_layer == node.path_in_layer;
  if (is_same && path_less(node.path_in_layer, path)) return node.path_in_layer;
  first_names_.emplace(std::pair(*node.layer, node.path_in_layer), path);
  return std::nullopt;
}

void TreeMaker::make_regular(const FileTree::Node& node, const std::string& path, const std::string& name,
                             DirStack& root, int into) {
  if (const auto earlier = earlier_name(node, path)) {
    const std::optional<int> parent = root.enter(parent_path(*earlier));
    const std::string target(base_name(*earlier));
    if (parent && ::linkat(*parent, target.c_str(), into, name.c_str(), 0) == 0) return;
    // The name may lie outside of the part that is made; a file may also have no more links (EMLINK): a copy it is
    // then.
    if (parent && errno != ENOENT && errno != EMLINK) throw_errno(fmt::format("link /{} to /{}", path, *earlier));
  }
  const UniqueFd from = files_.open(node);
  struct stat status {};
  if (::fstat(from.get(), &status) != 0) throw_errno("stat /" + path);
  if (!S_ISREG(status.st_mode) || static_cast<std::uint64_t>(status.st_size) != node.metadata.size) {
    throw Error(ErrorKind::failure,
                fmt::format("/{} is not what its layer says in the unpacked form of the layer", escape_control(path)))
        .add_hint("remove the unpacked layers with tektii cache prune and build again");
  }
  constexpr int k_flags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC;
  const UniqueFd to(::openat(into, name.c_str(), k_flags, 0600));
  if (!to) throw_errno("create /" + path);
  const bool has_holes = static_cast<std::uint64_t>(status.st_blocks) * k_stat_block < node.metadata.size;
  copier_.copy(from.get(), to.get(), node.metadata.size, has_holes, "/" + path, stop_);
  set_attributes(to.get(), node.metadata, "/" + path);
}

void TreeMaker::make_special(const FileTree::Node& node, const std::string& path, const std::string& name, int into) {
  const fs::FileMetadata& metadata = node.metadata;
  // As in the unpacked form of a layer, where it would read as a whiteout.
  if (is_overlay_whiteout(metadata)) return;
  const int result = metadata.type == FileType::symlink
                         ? ::symlinkat(metadata.link_target.c_str(), into, name.c_str())
                         : ::mknodat(into, name.c_str(), node_type(metadata.type) | 0600U,
                                     makedev(metadata.device_major, metadata.device_minor));
  if (result == 0) return set_attributes_at(into, name, metadata, "/" + path);
  if (!is_device(metadata.type) || errno != EPERM) throw_errno("create /" + path);
  ++left_out_;
}

}  // namespace tektii::layer
