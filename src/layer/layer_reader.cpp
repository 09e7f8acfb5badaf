#include "layer/layer_reader.hpp"

#include "layer/layer_limits.hpp"
#include "layer/member_name.hpp"
#include "layer/overlay_format.hpp"
#include "layer/tar_reader.hpp"
#include <tektii/util/compress.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/hash.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tektii::layer {

namespace {

// Gives back the bytes that were read to look at the start of a stream, then the rest of it.
class PeekedSource : public ByteSource {
 public:
  explicit PeekedSource(ByteSource& source) : source_(source) { size_ = read_full(source_, head_); }
  ByteSpan head() const { return ByteSpan(head_).first(size_); }
  std::size_t read(std::span<std::byte> out) override {
    if (position_ == size_) return source_.read(out);
    const std::size_t n = std::min(out.size(), size_ - position_);
    std::copy_n(head_.begin() + static_cast<std::ptrdiff_t>(position_), n, out.begin());
    position_ += n;
    return n;
  }

 private:
  ByteSource& source_;
  std::array<std::byte, 6> head_{};
  std::size_t size_ = 0;
  std::size_t position_ = 0;
};

// Hashes what passes through.
class HashingSource : public ByteSource {
 public:
  HashingSource(std::unique_ptr<ByteSource> source, std::stop_token stop)
      : source_(std::move(source)), stop_(std::move(stop)) {}
  std::size_t read(std::span<std::byte> out) override {
    throw_if_stopped(stop_);
    const std::size_t n = source_->read(out);
    hash_.update(out.first(n));
    return n;
  }
  std::string finish_hex() { return hash_.finish_hex(); }

 private:
  std::unique_ptr<ByteSource> source_;
  std::stop_token stop_;
  Sha256 hash_;
};

// `blob` outlives the result.
std::unique_ptr<ByteSource> uncompressed(ByteSource& blob) {
  auto peeked = std::make_unique<PeekedSource>(blob);
  const Compression type = detect_compression(peeked->head());
  if (type == Compression::none) return peeked;
  return make_decompressor(type, std::move(peeked));
}

std::size_t metadata_bytes(const LayerEntry& entry) {
  std::size_t total =
      sizeof(LayerEntry) + entry.path.size() + entry.hard_link_target.size() + entry.metadata.link_target.size();
  for (const auto& [name, value] : entry.metadata.xattrs) total += 64 + name.size() + value.size();
  return total;
}

// What a tar member means, or nullopt when it is to be ignored.
std::optional<LayerEntry> to_entry(TarMember& member) {
  MemberName name = classify_member(normalise_member_name(member.name));
  LayerEntry entry;
  entry.path = std::move(name.path);
  switch (name.kind) {
    case MemberName::Kind::ignored:
      return std::nullopt;
    case MemberName::Kind::whiteout:
      entry.kind = LayerEntry::Kind::whiteout;
      return entry;
    case MemberName::Kind::opaque:
      entry.kind = LayerEntry::Kind::opaque;
      return entry;
    case MemberName::Kind::file:
      break;
  }
  if (member.is_hard_link) {
    entry.kind = LayerEntry::Kind::hard_link;
    entry.hard_link_target = normalise_member_name(member.hard_link_target);
    if (entry.path.empty() || entry.hard_link_target.empty() || entry.path == entry.hard_link_target) {
      throw Error(ErrorKind::failure, fmt::format("hard link \"{}\" leads to itself or to the root", entry.path));
    }
    return entry;
  }
  entry.metadata = std::move(member.metadata);
  std::erase_if(entry.metadata.xattrs, [](const auto& xattr) { return is_overlay_xattr(xattr.first); });
  if (entry.path.empty() && entry.metadata.type != fs::FileType::directory) {
    throw Error(ErrorKind::failure, "the root of the layer is not a directory");
  }
  return entry;
}

// Adds up what is visited, and passes it on.
class Indexer : public LayerVisitor {
 public:
  explicit Indexer(LayerVisitor* next) : next_(next) {}

  void visit(const LayerEntry& entry, const Content& content) override {
    LayerEntry& kept = index_.entries.emplace_back(entry);
    const bool keep = entry.kind == LayerEntry::Kind::file && entry.metadata.type == fs::FileType::regular &&
                      entry.metadata.size <= k_max_account_file && is_account_file(entry.path);
    if (!keep) {
      if (next_ != nullptr) next_->visit(entry, content);
      return;
    }
    kept.content.emplace(static_cast<std::size_t>(entry.metadata.size), '\0');
    const auto take = [&kept](std::uint64_t offset, ByteSpan data) {
      std::transform(data.begin(), data.end(), kept.content->begin() + static_cast<std::ptrdiff_t>(offset),
                     [](std::byte b) { return static_cast<char>(b); });
    };
    bool taken = false;
    if (next_ != nullptr) {
      next_->visit(entry, [&](const std::function<void(std::uint64_t, ByteSpan)>& sink) {
        taken = true;
        content([&](std::uint64_t offset, ByteSpan data) {
          take(offset, data);
          sink(offset, data);
        });
      });
    }
    if (!taken) content(take);
  }

  LayerIndex take() { return std::move(index_); }

 private:
  LayerVisitor* next_;
  LayerIndex index_;
};

void read_members(ByteSource& source, LayerVisitor& visitor) {
  TarReader reader(source);
  TarMember member;
  TarBudget budget;
  const LayerVisitor::Content content = [&reader](const auto& sink) { reader.read_content(sink); };
  while (reader.next(member)) {
    budget.take_member();
    const std::optional<LayerEntry> entry = to_entry(member);
    if (!entry) continue;
    budget.take_metadata(metadata_bytes(*entry));
    if (entry->kind == LayerEntry::Kind::file && entry->metadata.type == fs::FileType::regular) {
      budget.take_content(entry->metadata.size);
    }
    visitor.visit(*entry, content);
  }
}

void drain(ByteSource& source) {
  std::vector<std::byte> buffer(64 * 1024);
  while (source.read(buffer) != 0) continue;
}

void read_verified(ByteSource& blob, const oci::Digest& diff_id, LayerVisitor& visitor, const std::stop_token& stop) {
  HashingSource source(uncompressed(blob), stop);
  read_members(source, visitor);
  // The tar may be followed by padding, which the diff_id covers too.
  drain(source);
  drain(blob);
  const oci::Digest actual = oci::Digest::of_hex(source.finish_hex());
  if (actual == diff_id) return;
  throw Error(ErrorKind::failure,
              fmt::format("the content does not match its diff_id: expected {}, got {}", diff_id.str(), actual.str()));
}

}  // namespace

bool is_account_file(std::string_view path) {
  return path == "etc/passwd" || path == "etc/group";
}

void visit_layer(const BlobOpener& blob, const oci::Layer& layer, LayerVisitor& visitor, const std::stop_token& stop) {
  try {
    const std::unique_ptr<ByteSource> source = blob();
    try {
      read_verified(*source, layer.diff_id, visitor, stop);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::interrupted) drain(*source);
      throw;
    }
  } catch (Error& error) {
    error.add_context("layer " + layer.blob.digest.short_hex());
    throw;
  }
}

LayerIndex read_layer(const BlobOpener& blob, const oci::Layer& layer, LayerVisitor* visitor,
                      const std::stop_token& stop) {
  Indexer indexer(visitor);
  visit_layer(blob, layer, indexer, stop);
  return indexer.take();
}

}  // namespace tektii::layer
