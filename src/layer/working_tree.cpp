#include "layer/change_set.hpp"
#include "layer/file_attributes.hpp"
#include "layer/lower_content.hpp"
#include "layer/member_name.hpp"
#include "layer/tree_changes.hpp"
#include "layer/tree_maker.hpp"
#include "layer/tree_scan.hpp"
#include "layer/tree_update.hpp"
#include <tektii/layer/working_tree.hpp>
#include <tektii/util/error.hpp>

#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include <utility>

namespace tektii::layer {

namespace {

void warn_of_left_out(std::uint64_t count) {
  if (count > 0) spdlog::debug("{} device nodes can't be made in a user namespace and are left out", count);
}

// Waits until a file that changes now gets a later ctime than any that was recorded: two changes within one tick of the
// clock that the file system uses (some milliseconds, seconds on old ones) could not be told apart.
void wait_for_clock(const std::filesystem::path& directory, std::int64_t newest) {
  constexpr std::chrono::milliseconds k_poll{1};
  constexpr int k_most_polls = 3000;  // a clock that was set back does not matter: other times are different, too
  const auto probe = directory / "clock";
  const UniqueFd fd = open_file(probe, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
  for (int i = 0; i < k_most_polls; ++i) {
    struct stat status {};
    if (::futimens(fd.get(), nullptr) != 0 || ::fstat(fd.get(), &status) != 0) throw_errno("look at the clock");
    if (TreeRecord::entry_of(status).ctime > newest) break;
    std::this_thread::sleep_for(k_poll);
  }
  if (::unlink(probe.c_str()) != 0) throw_errno("remove " + probe.string());
}

}  // namespace

struct WorkingTree::Impl {
  Impl(OverlayWorkspace workspace, const FileTree& tree, LayerDirectory layers, const std::stop_token& stop)
      : place(std::move(workspace)), directories(std::move(layers)) {
    UnpackedFiles files(directories);
    FileCopier copier;
    TreeMaker maker(tree, files, copier, stop);
    DirStack root(place.upper());
    const UniqueFd top = open_file(place.upper(), O_RDONLY | O_DIRECTORY);
    maker.make_children(*tree.find(""), "", root, top.get());
    warn_of_left_out(maker.left_out());
    made = {maker.made(), copier.cloned(), copier.copied()};
    record = TreeScan(nullptr, {}, stop).run(top.get());
  }

  OverlayWorkspace place;
  LayerDirectory directories;
  TreeRecord record;
  Made made;
  bool exact = true;
};

WorkingTree::WorkingTree(OverlayWorkspace place, const FileTree& tree, const LayerDirectory& layers,
                         const std::stop_token& stop)
    : impl_(std::make_unique<Impl>(std::move(place), tree, layers, stop)) {}

WorkingTree::WorkingTree(WorkingTree&&) noexcept = default;
WorkingTree& WorkingTree::operator=(WorkingTree&&) noexcept = default;
WorkingTree::~WorkingTree() = default;

std::filesystem::path WorkingTree::root() const {
  return impl_->place.upper();
}

std::filesystem::path WorkingTree::work() const {
  return impl_->place.work();
}

bool WorkingTree::is_exact() const {
  return impl_->exact;
}

WorkingTree::Made WorkingTree::made() const {
  return impl_->made;
}

void WorkingTree::advance(const FileTree& tree, std::size_t layers, const std::stop_token& stop) {
  UnpackedFiles files(impl_->directories);
  FileCopier copier;
  TreeMaker maker(tree, files, copier, stop);
  DirStack top(root());
  TreeUpdate(tree, maker, top, stop).run(layers);
  impl_->record = TreeScan(nullptr, {}, stop).run(open_file(root(), O_RDONLY | O_DIRECTORY).get());
}

void WorkingTree::begin() {
  const UniqueFd top = open_file(root(), O_RDONLY | O_DIRECTORY);
  if (::fchown(top.get(), ::geteuid(), ::getegid()) != 0 || ::fchmod(top.get(), 0755) != 0)
    throw_errno("set mode of " + root().string());
  wait_for_clock(root().parent_path(), impl_->record.newest());
}

void WorkingTree::diff_to_layer(const FileTree& parent, const DiffOptions& options, LayerWriter& writer,
                                const std::stop_token& stop) {
  UnpackedFiles old(impl_->directories);
  DirStack files(root());
  ChangeSet set(
      files, parent,
      [&](const FileTree::Node& node, const std::string& path, int fd) {
        if (node.metadata.type != fs::FileType::regular) return false;
        return have_same_bytes(old.open(node).get(), fd, path, stop);
      },
      options, stop);
  TreeChanges changes(impl_->record, parent, stop);
  TreeRecord now = changes.find(root(), set.changes());
  set.drop_unchanged();
  impl_->exact = changes.is_exact(set.changes());
  set.write(writer);
  set.set_times();
  changes.look_again(files, set.changes(), now);
  impl_->record = std::move(now);
}

void make_part(const OverlayWorkspace& place, const FileTree& tree, const std::string& path,
               const LayerDirectory& layers, const std::stop_token& stop) {
  UnpackedFiles files(layers);
  FileCopier copier;
  TreeMaker maker(tree, files, copier, stop);
  DirStack root(place.upper());
  std::string walked;
  UniqueFd at = open_file(place.upper(), O_RDONLY | O_DIRECTORY);
  std::vector<std::pair<std::string, UniqueFd>> above;
  for (std::string_view rest = path; !rest.empty();) {
    const std::string name(rest.substr(0, rest.find('/')));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    if (!walked.empty()) walked += '/';
    walked += name;
    const FileTree::Node* node = tree.find(walked);
    if (node == nullptr) throw Error(ErrorKind::failure, "/" + path + " does not exist");
    if (rest.empty()) {
      maker.make(*node, walked, name, root, at.get());
      break;
    }
    if (::mkdirat(at.get(), name.c_str(), 0700) != 0) throw_errno("create directory /" + walked);
    UniqueFd next(::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next) throw_errno("open directory /" + walked);
    above.emplace_back(walked, UniqueFd(::dup(next.get())));
    at = std::move(next);
  }
  if (path.empty()) maker.make_children(*tree.find(""), "", root, at.get());
  for (auto it = above.rbegin(); it != above.rend(); ++it) {
    set_attributes(it->second.get(), tree.find(it->first)->metadata, "/" + it->first);
  }
  warn_of_left_out(maker.left_out());
}

}  // namespace tektii::layer
