#include "layer/support.hpp"

#include <tektii/util/compress.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <array>
#include <cstring>

namespace tektii::layer::testing {

namespace {

class MemoryWriter : public store::BlobWriter {
 public:
  explicit MemoryWriter(MemoryStore& store) : store_(store) {}
  void write(ByteSpan data) override { data_.write(data); }
  store::BlobInfo commit(const std::optional<store::BlobInfo>&) override {
    return {store_.add(data_.str()), data_.str().size()};
  }
  BlobOpener reader() override {
    return [this] { return std::make_unique<StringSource>(data_.str()); };
  }

 private:
  MemoryStore& store_;
  StringSink data_;
};

void put(std::string& block, std::size_t offset, std::string_view text) {
  block.replace(offset, text.size(), text);
}

std::string header_block(const RawMember& member, std::size_t size) {
  std::string block(512, '\0');
  put(block, 0, std::string_view(member.name).substr(0, 100));
  put(block, 100, fmt::format("{:07o}", member.mode));
  put(block, 108, "0000000");
  put(block, 116, "0000000");
  put(block, 124, fmt::format("{:011o}", size));
  put(block, 136, fmt::format("{:011o}", 1000));
  put(block, 148, "        ");
  block[156] = member.type;
  put(block, 157, std::string_view(member.link).substr(0, 100));
  put(block, 257, std::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (char c : block) sum += static_cast<unsigned char>(c);
  put(block, 148, fmt::format("{:06o}", sum));
  block[154] = '\0';
  return block;
}

void put_body(std::string& tar, std::string_view body) {
  tar.append(body);
  tar.append((512 - body.size() % 512) % 512, '\0');
}

std::string pax_body(const std::map<std::string, std::string>& records) {
  std::string body;
  for (const auto& [key, value] : records) {
    const std::size_t rest = key.size() + value.size() + 3;
    std::size_t length = rest + 1;
    while (std::to_string(length).size() + rest != length) ++length;
    body += fmt::format("{} {}=", length, key) + value + "\n";
  }
  return body;
}

}  // namespace

std::optional<std::uint64_t> MemoryStore::size_of(const oci::Digest& digest) {
  const std::lock_guard lock(mutex_);
  const auto it = blobs_.find(digest);
  if (it == blobs_.end()) return std::nullopt;
  return it->second.size();
}

std::unique_ptr<ByteSource> MemoryStore::open(const oci::Digest& digest) {
  const std::lock_guard lock(mutex_);
  ++opened_;
  const auto it = blobs_.find(digest);
  if (it == blobs_.end()) throw Error(ErrorKind::failure, "no such blob");
  return std::make_unique<StringSource>(it->second);
}

std::unique_ptr<store::BlobWriter> MemoryStore::create() {
  return std::make_unique<MemoryWriter>(*this);
}

oci::Digest MemoryStore::add(const std::string& bytes) {
  const std::lock_guard lock(mutex_);
  const oci::Digest digest = oci::Digest::of_bytes(bytes);
  blobs_.insert_or_assign(digest, bytes);
  return digest;
}

fs::FileMetadata file_metadata(std::uint64_t size, std::uint32_t mode, std::int64_t mtime) {
  fs::FileMetadata metadata;
  metadata.mode = mode;
  metadata.size = size;
  metadata.mtime = mtime;
  return metadata;
}

fs::FileMetadata directory_metadata(std::uint32_t mode, std::int64_t mtime) {
  fs::FileMetadata metadata = file_metadata(0, mode, mtime);
  metadata.type = fs::FileType::directory;
  return metadata;
}

fs::FileMetadata symlink_metadata(const std::string& target) {
  fs::FileMetadata metadata = file_metadata(0, 0777);
  metadata.type = fs::FileType::symlink;
  metadata.link_target = target;
  return metadata;
}

BlobOpener content(const std::string& text) {
  return [text] { return std::make_unique<StringSource>(text); };
}

std::string raw_tar(const std::vector<RawMember>& members) {
  std::string tar;
  for (const RawMember& member : members) {
    if (!member.pax.empty()) {
      const std::string body = pax_body(member.pax);
      tar += header_block({.name = "pax", .type = 'x'}, body.size());
      put_body(tar, body);
    }
    tar += header_block(member, member.body.size());
    put_body(tar, member.body);
  }
  tar.append(1024, '\0');
  return tar;
}

oci::Layer add_layer(MemoryStore& store, const std::string& tar) {
  const oci::Digest digest = store.add(tar);
  return {{"application/vnd.oci.image.layer.v1.tar", digest, tar.size()}, digest};
}

std::string uncompressed(MemoryStore& store, const oci::Layer& layer) {
  const std::string& bytes = store.bytes(layer.blob.digest);
  const Compression type = detect_compression(as_byte_span(bytes).first(6));
  if (type == Compression::none) return bytes;
  return read_all(*make_decompressor(type, store.open(layer.blob.digest)));
}

std::vector<std::string> describe(const LayerIndex& index) {
  std::vector<std::string> lines;
  for (const LayerEntry& entry : index.entries) {
    const fs::FileMetadata& m = entry.metadata;
    const std::string owner = fmt::format("{:o} {}:{}", m.mode, m.uid, m.gid);
    switch (entry.kind) {
      case LayerEntry::Kind::whiteout:
        lines.push_back("w " + entry.path);
        continue;
      case LayerEntry::Kind::opaque:
        lines.push_back("o " + entry.path);
        continue;
      case LayerEntry::Kind::hard_link:
        lines.push_back(fmt::format("h {} => {}", entry.path, entry.hard_link_target));
        continue;
      case LayerEntry::Kind::file:
        break;
    }
    if (m.type == fs::FileType::directory) {
      lines.push_back(fmt::format("d {} {}", owner, entry.path));
    } else if (m.type == fs::FileType::symlink) {
      lines.push_back(fmt::format("l {} -> {}", entry.path, m.link_target));
    } else if (m.type == fs::FileType::regular) {
      lines.push_back(fmt::format("f {} {} {}", owner, m.size, entry.path));
    } else {
      lines.push_back(fmt::format("s {} {}", owner, entry.path));
    }
  }
  return lines;
}

LayerEntry entry_of(const std::string& path, const fs::FileMetadata& metadata) {
  LayerEntry entry;
  entry.path = path;
  entry.metadata = metadata;
  return entry;
}

LayerEntry whiteout_of(const std::string& path) {
  LayerEntry entry;
  entry.kind = LayerEntry::Kind::whiteout;
  entry.path = path;
  return entry;
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace tektii::layer::testing
