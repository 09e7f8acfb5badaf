#include <tektii/layer/layer_index.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/hash.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <type_traits>

namespace tektii::layer {

namespace {

// File format, version 1: the magic line, the SHA-256 of the rest in hex, then the entries. Numbers are LEB128, strings
// are length and bytes, a path is the length of what it shares with the path before it and the rest. Half a million
// entries are read in a fraction of a second, which JSON would not do.
constexpr std::string_view k_magic = "tektii-layer-index-1\n";
constexpr std::size_t k_hash_size = 64;

class Writer {
 public:
  void number(std::uint64_t value) {
    while (value >= 0x80) {
      out_ += static_cast<char>(value | 0x80U);
      value >>= 7U;
    }
    out_ += static_cast<char>(value);
  }
  void signed_number(std::int64_t value) {  // zigzag
    const auto bits = static_cast<std::uint64_t>(value);
    number((bits << 1U) ^ (value < 0 ? ~std::uint64_t{0} : 0));
  }
  void text(std::string_view value) {
    number(value.size());
    out_.append(value);
  }
  void path(const std::string& value) {
    const auto shared = static_cast<std::size_t>(
        std::mismatch(value.begin(), value.end(), previous_.begin(), previous_.end()).first - value.begin());
    number(shared);
    text(std::string_view(value).substr(shared));
    previous_ = value;
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
  std::string previous_;
};

class Reader {
 public:
  explicit Reader(std::string_view data) : rest_(data) {}

  bool at_end() const { return rest_.empty(); }
  std::size_t remaining() const { return rest_.size(); }

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) damaged();
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      if (shift == 63 && byte > 1) damaged();
      value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if ((byte & 0x80U) == 0) return value;
    }
    damaged();
  }
  std::uint32_t number_32() {
    const std::uint64_t value = number();
    if (value > std::numeric_limits<std::uint32_t>::max()) damaged();
    return static_cast<std::uint32_t>(value);
  }
  std::int64_t signed_number() {
    const std::uint64_t bits = number();
    return static_cast<std::int64_t>((bits >> 1U) ^ (~(bits & 1U) + 1U));
  }
  template <typename Enum>
  Enum enumerator(Enum last) {
    const std::uint64_t value = number();
    if (value > static_cast<std::uint64_t>(last)) damaged();
    return static_cast<Enum>(value);
  }
  std::string text() {
    const std::uint64_t size = number();
    if (size > rest_.size()) damaged();
    std::string result(rest_.substr(0, static_cast<std::size_t>(size)));
    rest_.remove_prefix(result.size());
    return result;
  }
  std::string path() {
    const std::uint64_t shared = number();
    if (shared > previous_.size()) damaged();
    previous_.resize(static_cast<std::size_t>(shared));
    previous_ += text();
    return previous_;
  }
  [[noreturn]] static void damaged() { throw Error(ErrorKind::failure, "damaged layer index"); }

 private:
  std::string_view rest_;
  std::string previous_;
};

bool is_device(fs::FileType type) {
  return type == fs::FileType::char_device || type == fs::FileType::block_device;
}

void write_metadata(Writer& out, const fs::FileMetadata& metadata) {
  out.number(static_cast<std::uint64_t>(metadata.type));
  out.number(metadata.mode);
  out.number(metadata.uid);
  out.number(metadata.gid);
  out.signed_number(metadata.mtime);
  if (metadata.type == fs::FileType::regular) out.number(metadata.size);
  if (metadata.type == fs::FileType::symlink) out.text(metadata.link_target);
  if (is_device(metadata.type)) {
    out.number(metadata.device_major);
    out.number(metadata.device_minor);
  }
  out.number(metadata.xattrs.size());
  for (const auto& [name, value] : metadata.xattrs) {
    out.text(name);
    out.text(value);
  }
}

fs::FileMetadata read_metadata(Reader& in) {
  fs::FileMetadata metadata;
  metadata.type = in.enumerator(fs::FileType::socket);
  metadata.mode = in.number_32();
  metadata.uid = in.number_32();
  metadata.gid = in.number_32();
  metadata.mtime = in.signed_number();
  if (metadata.type == fs::FileType::regular) metadata.size = in.number();
  if (metadata.type == fs::FileType::symlink) metadata.link_target = in.text();
  if (is_device(metadata.type)) {
    metadata.device_major = in.number_32();
    metadata.device_minor = in.number_32();
  }
  for (std::uint64_t left = in.number(); left > 0; --left) {
    std::string name = in.text();
    metadata.xattrs[std::move(name)] = in.text();
  }
  return metadata;
}

LayerEntry read_entry(Reader& in) {
  LayerEntry entry;
  entry.kind = in.enumerator(LayerEntry::Kind::opaque);
  entry.path = in.path();
  if (entry.kind == LayerEntry::Kind::file) {
    entry.metadata = read_metadata(in);
    if (in.number() != 0) entry.content = in.text();
  } else if (entry.kind == LayerEntry::Kind::hard_link) {
    entry.hard_link_target = in.text();
  }
  return entry;
}

}  // namespace

std::string LayerIndex::serialise() const {
  Writer out;
  out.number(entries.size());
  for (const LayerEntry& entry : entries) {
    out.number(static_cast<std::uint64_t>(entry.kind));
    out.path(entry.path);
    if (entry.kind == LayerEntry::Kind::file) {
      write_metadata(out, entry.metadata);
      out.number(entry.content ? 1 : 0);
      if (entry.content) out.text(*entry.content);
    } else if (entry.kind == LayerEntry::Kind::hard_link) {
      out.text(entry.hard_link_target);
    }
  }
  const std::string body = out.take();
  std::string result(k_magic);
  result += Sha256::hex_of(body);
  result += body;
  return result;
}

LayerIndex LayerIndex::parse(std::string_view text) {
  if (!text.starts_with(k_magic) || text.size() < k_magic.size() + k_hash_size) Reader::damaged();
  const std::string_view hash = text.substr(k_magic.size(), k_hash_size);
  const std::string_view body = text.substr(k_magic.size() + k_hash_size);
  if (Sha256::hex_of(body) != hash) Reader::damaged();
  Reader in(body);
  LayerIndex index;
  const std::uint64_t count = in.number();
  // An entry takes four bytes at least, so a wrong count can't ask for more memory than the file justifies.
  index.entries.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(count, in.remaining() / 4)));
  for (std::uint64_t i = 0; i < count; ++i) index.entries.push_back(read_entry(in));
  if (!in.at_end()) Reader::damaged();
  return index;
}

}  // namespace tektii::layer
