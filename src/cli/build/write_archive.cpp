#include "write_archive.hpp"

#include <tektii/layer/archive.hpp>
#include <tektii/oci/content.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/parallel.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <set>

namespace tektii::cli {
namespace {

constexpr std::size_t k_parallel_blobs = 4;

oci::Content content_of(const builder::BuildResult& result) {
  const oci::SealedImage& image = result.image;
  oci::Content content;
  content.manifests.push_back({image.manifest, image.manifest_bytes});
  content.blobs.push_back(image.config);
  std::set<oci::Digest> seen;
  for (const auto& layer : image.layers) {
    if (seen.insert(layer.blob.digest).second) content.blobs.push_back(layer.blob);
  }
  if (!result.attested) return content;
  for (const auto& blob : result.attested->blobs) {
    if (seen.insert(blob.descriptor.digest).second) content.blobs.push_back(blob.descriptor);
  }
  content.manifests.push_back(result.attested->manifest);
  content.manifests.push_back(result.attested->index);
  return content;
}

// The bytes of a blob that is in no store; null for a layer.
const std::string* small_blob(const builder::BuildResult& result, const oci::Digest& digest) {
  if (digest == result.image.config.digest) return &result.image.config_bytes;
  if (!result.attested) return nullptr;
  for (const auto& blob : result.attested->blobs) {
    if (blob.descriptor.digest == digest) return &blob.bytes;
  }
  return nullptr;
}

UniqueFd standard_output() {
  UniqueFd fd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
  if (!fd) throw_errno("standard output");
  return fd;
}

}  // namespace

void write_archive(const OutputSpec& output, const builder::BuildResult& result, const std::vector<std::string>& names,
                   store::BlobStore& blobs, const std::filesystem::path& scratch, const std::stop_token& stop) {
  layer::ArchiveOptions options;
  options.names = names;
  if (output.kind == OutputSpec::Kind::docker_archive) options.format = layer::ArchiveFormat::docker;
  const bool is_stream = output.is_standard_output();
  std::unique_ptr<FdSink> sink;
  if (is_stream) sink = std::make_unique<FdSink>(standard_output(), "standard output");
  const auto target = is_stream ? layer::open_archive_stream(*sink, options, scratch)
                                : layer::open_archive_target(output.destination, options);
  const auto content = content_of(result);
  target->begin(content, stop);
  for_each_in_parallel(content.blobs.size(), is_stream ? 1 : k_parallel_blobs, stop,
                       [&](std::size_t i, const std::stop_token& token) {
                         const auto& blob = content.blobs[i];
                         const auto open = [&]() -> std::unique_ptr<ByteSource> {
                           if (const auto* bytes = small_blob(result, blob.digest)) {
                             return std::make_unique<StringSource>(*bytes);
                           }
                           return blobs.open(blob.digest);
                         };
                         target->put_blob({blob, open}, token);
                       });
  target->finish(content, stop);
}

}  // namespace tektii::cli
