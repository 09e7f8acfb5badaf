#pragma once

#include <tektii/store/action_cache.hpp>
#include <tektii/store/blob_store.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

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
// Every change is a rename, so a reader or a crash sees the old state or the new one. Writers must not outlive the
// Store.
class Store : public BlobStore, public ActionCache {
 public:
  // Opens or creates; throws Error with a hint when the directory can't be written.
  explicit Store(std::filesystem::path root);
  ~Store() override;

  // $TEKTII_CACHE_DIR, else $XDG_CACHE_HOME/tektii, else $HOME/.cache/tektii; throws Error{usage} when none is set.
  static std::filesystem::path default_root();

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path blob_path(const oci::Digest& digest) const;

  // A private directory of this object on the file system of the store, for things that are renamed into it later
  // (unpacked layers, say). Removed with what is left in it when this object goes, and after a crash by the next
  // process.
  const std::filesystem::path& temp_directory() const;
  // A path in temp_directory() that was not handed out before; nothing is created. Thread-safe.
  std::filesystem::path next_temp_name(std::string_view prefix);

  std::optional<std::uint64_t> size_of(const oci::Digest& digest) override;
  std::unique_ptr<ByteSource> open(const oci::Digest& digest) override;
  std::unique_ptr<BlobWriter> create() override;
  void discard(const oci::Digest& digest) override;
  std::optional<std::string> get(std::string_view key) override;
  void put(std::string_view key, std::string_view record) override;

 private:
  std::filesystem::path root_;
  std::unique_ptr<TempArea> temp_;
};

}  // namespace tektii::store
