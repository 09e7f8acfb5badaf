#include "document_cache.hpp"

namespace tektii::cli {
namespace {

constexpr std::uint64_t k_largest_document = 4U << 20U;  // as of what registries are asked for

}  // namespace

registry::DocumentCache keep_documents_in(store::BlobStore& blobs) {
  registry::DocumentCache cache;
  cache.find = [&blobs](const oci::Digest& digest) -> std::optional<std::string> {
    const auto size = blobs.size_of(digest);
    if (!size || *size > k_largest_document) return std::nullopt;
    return read_all(*blobs.open(digest), k_largest_document);
  };
  cache.keep = [&blobs](const std::string& bytes) {
    if (blobs.size_of(oci::Digest::of_bytes(bytes))) return;
    const auto writer = blobs.create();
    writer->write(as_byte_span(bytes));
    writer->commit(std::nullopt);
  };
  return cache;
}

}  // namespace tektii::cli
