#include "layer/layer_reader.hpp"
#include "layer/layer_table.hpp"
#include "layer/slot_mark.hpp"
#include "layer/temp_slot.hpp"
#include "layer/unpacker.hpp"
#include <tektii/layer/snapshots.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace tektii::layer {

namespace {

constexpr std::chrono::milliseconds k_lock_poll{50};

std::filesystem::path temp_dir(const std::filesystem::path& root) {
  return root / "tmp";
}
std::filesystem::path slot_path(const std::filesystem::path& root, const oci::Digest& diff_id) {
  return root / std::string(diff_id.hex());
}
std::filesystem::path index_path(const std::filesystem::path& root, const oci::Digest& diff_id) {
  return root / (std::string(diff_id.hex()) + ".index");
}

// Waits until no other thread or process works on the layer. The lock ends with the descriptor.
UniqueFd lock_layer(const std::filesystem::path& root, const oci::Digest& diff_id, const std::stop_token& stop) {
  const std::filesystem::path path = root / "locks" / std::string(diff_id.hex());
  UniqueFd fd = open_file(path, O_RDWR | O_CREAT, 0600);
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) throw_errno("lock " + path.string());
    throw_if_stopped(stop);
    std::this_thread::sleep_for(k_lock_poll);
  }
  return fd;
}

std::filesystem::path plain_mark(const std::filesystem::path& slot) {
  return slot / "plain";
}

// Takes away a slot that can't be used. The lock of the layer is held.
void remove_unsound_slot(const std::filesystem::path& root, const std::filesystem::path& slot) {
  std::error_code missing;
  if (!std::filesystem::exists(slot, missing)) return;
  spdlog::info("{} was unpacked {} and is made again", slot.string(),
               std::filesystem::exists(plain_mark(slot), missing) ? "without what overlayfs needs"
                                                                  : "before the machine was started");
  ScopedSlot temp(temp_dir(root));
  const auto away = temp.path() / "unsound";
  if (::rename(slot.c_str(), away.c_str()) != 0 && errno != ENOENT) throw_errno("rename " + slot.string());
}

}  // namespace

Snapshots::Snapshots(std::filesystem::path root, store::BlobStore& store, const store::UseMarks* marks)
    : root_(std::move(root)), store_(store), marks_(marks) {
  make_directories(root_ / "locks");
  make_directories(temp_dir(root_));
  remove_stale_slots(temp_dir(root_));
}

// False when there is nothing.
bool Snapshots::take_into_use(const std::filesystem::path& path) const {
  return marks_ != nullptr ? marks_->mark(path) : std::filesystem::exists(path);
}

// As UseMarks has it.
std::optional<FileLock> Snapshots::guard_replacement(const std::filesystem::path& path) const {
  return marks_ != nullptr ? marks_->guard_replacement(path) : std::nullopt;
}

bool Snapshots::has_slot(const std::filesystem::path& slot) const {
  std::error_code missing;
  return take_into_use(slot) && is_sound_slot(slot) && (plain_ || !std::filesystem::exists(plain_mark(slot), missing));
}

// nullptr when there is none that can be used; a damaged one is made again like one that is missing.
std::shared_ptr<const LayerTable> Snapshots::load_table(const std::filesystem::path& path) const {
  if (!take_into_use(path)) return nullptr;
  try {
    return LayerTable::parse(read_file(path, std::size_t{4} << 30));
  } catch (const Error& error) {
    spdlog::warn("{} can't be used and is made again: {}", path.string(), error.what());
    return nullptr;
  }
}

bool Snapshots::has_index(const oci::Digest& diff_id) const {
  return take_into_use(index_path(root_, diff_id));
}

bool Snapshots::has_directory(const oci::Digest& diff_id) const {
  return has_slot(slot_path(root_, diff_id));
}

BlobOpener Snapshots::stored_blob(const oci::Layer& layer) {
  return [&store = store_, digest = layer.blob.digest] { return store.open(digest); };
}

LayerIndex Snapshots::index(const oci::Layer& layer, const std::stop_token& stop) {
  const auto known = table(layer, stored_blob(layer), stop);
  LayerIndex index;
  index.entries.reserve(known->size());
  for (std::size_t i = 0; i < known->size(); ++i) index.entries.push_back(known->entry(i));
  return index;
}

std::filesystem::path Snapshots::directory(const oci::Layer& layer, const std::stop_token& stop) {
  return directory(layer, stored_blob(layer), stop);
}

std::shared_ptr<const LayerTable> Snapshots::table(const oci::Layer& layer, const BlobOpener& blob,
                                                   const std::stop_token& stop) {
  const std::filesystem::path path = index_path(root_, layer.diff_id);
  if (auto known = load_table(path)) return known;
  const UniqueFd lock = lock_layer(root_, layer.diff_id, stop);
  if (auto known = load_table(path)) return known;
  auto table = LayerTable::build(read_layer(blob, layer, nullptr, stop));
  put_table(layer.diff_id, table->serialised());
  return table;
}

std::filesystem::path Snapshots::directory(const oci::Layer& layer, const BlobOpener& blob,
                                           const std::stop_token& stop) {
  const std::filesystem::path slot = slot_path(root_, layer.diff_id);
  if (has_slot(slot)) return slot / "fs";
  const UniqueFd lock = lock_layer(root_, layer.diff_id, stop);
  if (has_slot(slot)) return slot / "fs";
  ScopedSlot temp(temp_dir(root_));
  const std::filesystem::path files = temp.path() / "fs";
  if (::mkdir(files.c_str(), 0700) != 0) throw_errno("create " + files.string());
  // A set-group-id bit of the cache directory would be inherited by everything below.
  if (::chown(files.c_str(), ::geteuid(), ::getegid()) != 0 || ::chmod(files.c_str(), 0700) != 0) {
    throw_errno("set mode of " + files.string());
  }
  Unpacker unpacker(files, plain_);
  const LayerIndex index = read_layer(blob, layer, &unpacker, stop);
  unpacker.finish();
  put_index(layer.diff_id, index);
  if (unpacker.left_marks_out()) write_file_atomic(plain_mark(temp.path()), "");
  sign_slot(temp.path());
  const auto held = guard_replacement(slot);
  remove_unsound_slot(root_, slot);
  temp.move_to(slot);
  return slot / "fs";
}

void Snapshots::put_index(const oci::Digest& diff_id, const LayerIndex& index) {
  put_table(diff_id, LayerTable::serialise(index));
}

void Snapshots::put_table(const oci::Digest& diff_id, const std::string& serialised) {
  const auto path = index_path(root_, diff_id);
  const auto held = guard_replacement(path);
  write_file_atomic(path, serialised);
}

void Snapshots::adopt(const oci::Digest& diff_id, const std::filesystem::path& upper) {
  const std::filesystem::path slot = slot_path(root_, diff_id);
  if (has_slot(slot)) return;
  const UniqueFd lock = lock_layer(root_, diff_id, {});
  if (has_slot(slot)) return;
  ScopedSlot temp(temp_dir(root_));
  const std::filesystem::path files = temp.path() / "fs";
  if (::rename(upper.c_str(), files.c_str()) != 0) {
    throw_errno("rename " + upper.string() + " to " + files.string());
  }
  sign_slot(temp.path());
  const auto held = guard_replacement(slot);
  remove_unsound_slot(root_, slot);
  temp.move_to(slot);
}

OverlayWorkspace Snapshots::make_workspace() {
  return OverlayWorkspace(temp_dir(root_));
}

}  // namespace tektii::layer
