#include <tektii/fs/rooted_dir.hpp>
#include <tektii/layer/layer_files.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace tektii::layer {

BlobOpener open_file_in_layer(Snapshots& snapshots, const oci::Layer& layer, const std::string& path_in_layer) {
  const std::filesystem::path root = snapshots.directory(layer, {});
  return [root, path_in_layer]() -> std::unique_ptr<ByteSource> {
    const fs::RootedDir directory(root);
    // O_NONBLOCK: opening a fifo must not wait for a writer.
    UniqueFd fd = directory.open_no_symlinks(path_in_layer, O_RDONLY | O_NONBLOCK);
    const std::string shown = (root / path_in_layer).string();
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) throw_errno("stat " + shown);
    if (!S_ISREG(status.st_mode)) throw Error(ErrorKind::failure, shown + ": not a regular file");
    return std::make_unique<FdSource>(std::move(fd), shown);
  };
}

}  // namespace tektii::layer
