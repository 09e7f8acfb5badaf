#include "layer/tar_file.hpp"
#include <tektii/layer/archive.hpp>
#include <tektii/store/layout_content.hpp>

#include <utility>

namespace tektii::layer {

namespace {

class TarLayoutFiles : public store::LayoutFiles {
 public:
  explicit TarLayoutFiles(TarFile tar) : tar_(std::move(tar)) {}
  std::optional<std::uint64_t> size_of(const std::string& name) override { return tar_.size_of(name); }
  std::unique_ptr<ByteSource> open(const std::string& name) override { return tar_.open(name); }

 private:
  TarFile tar_;
};

}  // namespace

std::unique_ptr<oci::ContentSource> open_oci_archive(const std::filesystem::path& file, const std::string& name,
                                                     const std::filesystem::path& scratch,
                                                     const std::stop_token& stop) {
  return store::open_layout_content(std::make_shared<TarLayoutFiles>(TarFile(file, scratch, stop)), name,
                                    file.string());
}

std::optional<ArchiveFormat> detect_archive(const std::filesystem::path& file, const std::filesystem::path& scratch,
                                            const std::stop_token& stop) {
  const TarFile tar(file, scratch, stop);
  if (tar.size_of("index.json") && tar.size_of("oci-layout")) return ArchiveFormat::oci;
  if (tar.size_of("manifest.json")) return ArchiveFormat::docker;
  return std::nullopt;
}

}  // namespace tektii::layer
