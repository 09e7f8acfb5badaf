#include "layer/unpacker.hpp"
#include <tektii/layer/tree_writer.hpp>

#include <utility>
#include <vector>

namespace tektii::layer {

namespace {

constexpr std::size_t k_buffer_size = std::size_t{256} << 10;

}  // namespace

struct TreeWriter::Impl {
  explicit Impl(std::filesystem::path directory) : unpacker(std::move(directory)), buffer(k_buffer_size) {}

  Unpacker unpacker;
  std::vector<std::byte> buffer;
};

TreeWriter::TreeWriter(std::filesystem::path directory) : impl_(std::make_unique<Impl>(std::move(directory))) {}

TreeWriter::~TreeWriter() = default;

void TreeWriter::add(const std::string& path, const fs::FileMetadata& metadata, const BlobOpener& content) {
  if (metadata.type == fs::FileType::socket) return;
  LayerEntry entry;
  entry.kind = LayerEntry::Kind::file;
  entry.path = path;
  entry.metadata = metadata;
  impl_->unpacker.visit(entry, [&](const std::function<void(std::uint64_t, ByteSpan)>& sink) {
    const auto source = content();
    std::uint64_t offset = 0;
    for (auto size = source->read(impl_->buffer); size > 0; size = source->read(impl_->buffer)) {
      sink(offset, ByteSpan(impl_->buffer.data(), size));
      offset += size;
    }
  });
}

void TreeWriter::add_hard_link(const std::string& path, const std::string& target) {
  LayerEntry entry;
  entry.kind = LayerEntry::Kind::hard_link;
  entry.path = path;
  entry.hard_link_target = target;
  impl_->unpacker.visit(entry, {});
}

void TreeWriter::finish() {
  impl_->unpacker.finish();
}

}  // namespace tektii::layer
