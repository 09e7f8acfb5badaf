#include "layer/index_codec.hpp"

#include <tektii/util/error.hpp>

#include <algorithm>
#include <limits>

namespace tektii::layer {

namespace {

using Kind = LayerEntry::Kind;

bool is_device(fs::FileType type) {
  return type == fs::FileType::char_device || type == fs::FileType::block_device;
}

template <typename Enum>
Enum enumerator(std::uint64_t value, Enum last) {
  if (value > static_cast<std::uint64_t>(last)) IndexReader::damaged();
  return static_cast<Enum>(value);
}

}  // namespace

void IndexWriter::number(std::uint64_t value) {
  while (value >= 0x80) {
    out_ += static_cast<char>(value | 0x80U);
    value >>= 7U;
  }
  out_ += static_cast<char>(value);
}

void IndexWriter::signed_number(std::int64_t value) {  // zigzag
  const auto bits = static_cast<std::uint64_t>(value);
  number((bits << 1U) ^ (value < 0 ? ~std::uint64_t{0} : 0));
}

void IndexWriter::text(std::string_view value) {
  number(value.size());
  out_.append(value);
}

void IndexWriter::path(const std::string& value) {
  const auto shared = static_cast<std::size_t>(
      std::mismatch(value.begin(), value.end(), previous_.begin(), previous_.end()).first - value.begin());
  number(shared);
  text(std::string_view(value).substr(shared));
  previous_ = value;
}

void IndexWriter::metadata(const fs::FileMetadata& metadata) {
  number(static_cast<std::uint64_t>(metadata.type));
  number(metadata.mode);
  number(metadata.uid);
  number(metadata.gid);
  signed_number(metadata.mtime);
  if (metadata.type == fs::FileType::regular) number(metadata.size);
  if (metadata.type == fs::FileType::symlink) text(metadata.link_target);
  if (is_device(metadata.type)) {
    number(metadata.device_major);
    number(metadata.device_minor);
  }
  number(metadata.xattrs.size());
  for (const auto& [name, value] : metadata.xattrs) {
    text(name);
    text(value);
  }
}

void IndexWriter::entry(const LayerEntry& entry) {
  number(static_cast<std::uint64_t>(entry.kind));
  path(entry.path);
  if (entry.kind == Kind::file) {
    metadata(entry.metadata);
    number(entry.content ? 1 : 0);
    if (entry.content) text(*entry.content);
  } else if (entry.kind == Kind::hard_link) {
    text(entry.hard_link_target);
  }
}

std::uint64_t IndexReader::number() {
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

std::uint32_t IndexReader::number_32() {
  const std::uint64_t value = number();
  if (value > std::numeric_limits<std::uint32_t>::max()) damaged();
  return static_cast<std::uint32_t>(value);
}

std::int64_t IndexReader::signed_number() {
  const std::uint64_t bits = number();
  return static_cast<std::int64_t>((bits >> 1U) ^ (~(bits & 1U) + 1U));
}

std::string_view IndexReader::text() {
  const std::uint64_t size = number();
  if (size > rest_.size()) damaged();
  const std::string_view result = rest_.substr(0, static_cast<std::size_t>(size));
  rest_.remove_prefix(result.size());
  return result;
}

const std::string& IndexReader::path() {
  const std::uint64_t shared = number();
  if (shared > previous_.size()) damaged();
  previous_.resize(static_cast<std::size_t>(shared));
  previous_ += text();
  return previous_;
}

fs::FileMetadata IndexReader::metadata() {
  fs::FileMetadata metadata;
  metadata.type = enumerator(number(), fs::FileType::socket);
  metadata.mode = number_32();
  metadata.uid = number_32();
  metadata.gid = number_32();
  metadata.mtime = signed_number();
  if (metadata.type == fs::FileType::regular) metadata.size = number();
  if (metadata.type == fs::FileType::symlink) metadata.link_target = text();
  if (is_device(metadata.type)) {
    metadata.device_major = number_32();
    metadata.device_minor = number_32();
  }
  for (std::uint64_t left = number(); left > 0; --left) {
    std::string name(text());
    metadata.xattrs[std::move(name)] = text();
  }
  return metadata;
}

LayerEntry::Kind IndexReader::kind() {
  return enumerator(number(), Kind::opaque);
}

void IndexReader::rest_of(LayerEntry& entry) {
  if (entry.kind == Kind::file) {
    entry.metadata = metadata();
    if (number() != 0) entry.content = text();
  } else if (entry.kind == Kind::hard_link) {
    entry.hard_link_target = text();
  }
}

void IndexReader::skip_rest(Kind kind) {
  if (kind == Kind::hard_link) text();
  if (kind != Kind::file) return;
  const auto type = enumerator(number(), fs::FileType::socket);
  // Mode, owner, group and time.
  for (int i = 0; i < 4; ++i) number();
  if (type == fs::FileType::regular) number();
  if (type == fs::FileType::symlink) text();
  for (int i = 0; is_device(type) && i < 2; ++i) number();
  for (std::uint64_t left = number(); left > 0; --left) {
    text();
    text();
  }
  if (number() != 0) text();
}

LayerEntry IndexReader::entry() {
  LayerEntry entry;
  entry.kind = kind();
  entry.path = path();
  rest_of(entry);
  return entry;
}

void IndexReader::damaged() {
  throw Error(ErrorKind::failure, "damaged layer index");
}

}  // namespace tektii::layer
