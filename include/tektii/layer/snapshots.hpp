#pragma once

#include <tektii/layer/layer_index.hpp>
#include <tektii/oci/descriptor.hpp>
#include <tektii/store/blob_store.hpp>
#include <tektii/store/use_marks.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/stream.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>

namespace tektii::layer {

class LayerTable;

// A private pair of directories for one overlay mount, on the file system of the snapshots; removed by the destructor,
// or by the next Snapshots when the process is killed.
class OverlayWorkspace {
 public:
  explicit OverlayWorkspace(const std::filesystem::path& parent);
  OverlayWorkspace(OverlayWorkspace&& other) noexcept;
  OverlayWorkspace& operator=(OverlayWorkspace&&) = delete;
  ~OverlayWorkspace();
  std::filesystem::path upper() const { return path_ / "upper"; }
  std::filesystem::path work() const { return path_ / "work"; }

 private:
  std::filesystem::path path_;  // empty after a move
  UniqueFd lock_;               // marks the directory as in use
};

// Unpacked layers and layer indexes, each kept once per diff_id below `root` (layers/v1 of the store):
//   <hex of diff_id>/fs      the files, in the form that overlayfs takes as a lower directory with `userxattr`:
//                            whiteouts are 0/0 character devices, opaque directories carry user.overlay.opaque
//   <hex of diff_id>/boot    in which boot of the machine it was written: one of an earlier boot is made again
//   <hex of diff_id>/plain   there when whiteouts and opaque marks were left out, see use_plain_directories()
//   <hex of diff_id>.index   the LayerIndex
// Entries appear by rename; a lock file per layer keeps two processes from unpacking the same one. Content is verified
// against diff_id while it streams. Unpacking never leaves the directory, whatever the tar says.
//
// Everything under construction is in tmp/ and locked while its process lives; the constructor removes what dead
// processes left. A tar with parents that it has no entries for gets them as 0755 root. Device nodes can't be made in a
// user namespace; they are left out of the directory with a warning and stay in the index.
class Snapshots {
 public:
  // What is used is marked in `marks`, which outlives this, so that it stays (use_marks.hpp); without them nothing
  // may be removed meanwhile.
  Snapshots(std::filesystem::path root, store::BlobStore& store, const store::UseMarks* marks = nullptr);

  // From now on directories are only read file by file and never mounted: whiteouts and opaque marks are left out where
  // they are unpacked, for file systems that can't hold them. Others unpack such a layer again. Before any thread.
  void use_plain_directories() { plain_ = true; }

  // The index of a layer; reads the blob once when it is not known yet. The blob must be in the store.
  LayerIndex index(const oci::Layer& layer, const std::stop_token& stop);
  // True when index() needs no blob / when directory() needs no blob.
  bool has_index(const oci::Digest& diff_id) const;
  bool has_directory(const oci::Digest& diff_id) const;
  // The unpacked directory of a layer; unpacks it (and makes its index) when needed. The blob must be in the store.
  std::filesystem::path directory(const oci::Layer& layer, const std::stop_token& stop);
  // The same, with the blob from `blob`, which is opened at most once and only when it is needed. A download may be
  // read so on its way to the store: nothing is kept unless its end was reached and the diff_id is right.
  std::shared_ptr<const LayerTable> table(const oci::Layer& layer, const BlobOpener& blob, const std::stop_token& stop);
  std::filesystem::path directory(const oci::Layer& layer, const BlobOpener& blob, const std::stop_token& stop);

  // Keeps the index of a layer that was just written.
  void put_index(const oci::Digest& diff_id, const LayerIndex& index);
  // Makes an upper directory the unpacked form of the layer that was written from it (a rename). When the layer is
  // there already, the upper directory is left to its owner.
  void adopt(const oci::Digest& diff_id, const std::filesystem::path& upper);

  OverlayWorkspace make_workspace();

 private:
  BlobOpener stored_blob(const oci::Layer& layer);
  bool take_into_use(const std::filesystem::path& path) const;
  std::optional<FileLock> guard_replacement(const std::filesystem::path& path) const;
  bool has_slot(const std::filesystem::path& slot) const;
  std::shared_ptr<const LayerTable> load_table(const std::filesystem::path& path) const;
  void put_table(const oci::Digest& diff_id, const std::string& serialised);

  std::filesystem::path root_;
  store::BlobStore& store_;
  const store::UseMarks* marks_;
  bool plain_ = false;
};

}  // namespace tektii::layer
