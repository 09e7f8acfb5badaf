#pragma once

#include <tektii/store/action_cache.hpp>
#include <tektii/store/blob_store.hpp>
#include <tektii/store/use_marks.hpp>

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

namespace tektii::store {

class TempArea;

// The store on disk. Layout below root():
//   oci-layout, index.json, blobs/sha256/<hex>   an OCI image layout
//   actions/v1/<2 hex>/<62 hex>                  the action cache
//   layers/v1/                                   unpacked layers and layer indexes (owned by the layer module)
//   mounts/v1/                                   the directories of cache mounts (owned by the builder module)
//   stat/v1/<hash of a directory's path>         what the files of build contexts were (StatCache)
//   git/v1/                                      mirrors of git repositories (owned by the fetch module)
//   tmp/<pid>-*/                                 files being written; those of dead processes are removed on open
//   gc/v1/                                       locks of the garbage collection and what it measured last (gc.hpp)
// Every change is a rename, so a reader or a crash sees the old state or the new one. Readers and writers must not
// outlive the Store. What it is asked for and has, it keeps until the process ends (use_marks.hpp).
class Store : public BlobStore, public ActionCache {
 public:
  // Opens or creates; throws Error with a hint when the directory can't be written.
  explicit Store(std::filesystem::path root);
  ~Store() override;

  // $TEKTII_CACHE_DIR, else $XDG_CACHE_HOME/tektii, else $HOME/.cache/tektii; throws Error{usage} when none is set.
  static std::filesystem::path default_root();

  // Waits for other processes end with Error{interrupted} when this stop is requested. To be called before threads use
  // the store: it is opened before a command can be told to stop, when a signal still ends the process by itself.
  void interrupt_by(std::stop_token stop) { marks_->interrupt_by(std::move(stop)); }

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path blob_path(const oci::Digest& digest) const;

  // A private directory of this object on the file system of the store, for things that are renamed into it later
  // (unpacked layers, say). Removed with what is left in it when this object goes, and after a crash by the next
  // process.
  const std::filesystem::path& temp_directory() const;
  // A path in temp_directory() that was not handed out before; nothing is created. Thread-safe.
  std::filesystem::path next_temp_name(std::string_view prefix);

  // For the objects of other modules: what they use of the store they mark.
  const UseMarks& marks() const { return *marks_; }

  std::optional<std::uint64_t> size_of(const oci::Digest& digest) override;
  std::unique_ptr<ByteSource> open(const oci::Digest& digest) override;
  std::unique_ptr<BlobWriter> create() override;
  void discard(const oci::Digest& digest) override;
  std::optional<std::string> get(std::string_view key) override;
  void put(std::string_view key, std::string_view record) override;

 private:
  class FreshBlob;

  void remove_damaged(const oci::Digest& digest, int fd);

  std::filesystem::path root_;
  std::unique_ptr<TempArea> temp_;
  std::optional<UseMarks> marks_;
  std::mutex mutex_;             // guards what follows
  std::set<oci::Digest> fresh_;  // blobs that this object wrote: their bytes went through its own hash
};

}  // namespace tektii::store
