#include "layer/tar_encoder.hpp"

#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <string_view>

namespace tektii::layer {

namespace {

constexpr std::size_t k_block = 512;
constexpr std::uint64_t k_max_octal_7 = 07777777;       // mode, uid, gid, device numbers: 7 digits and a NUL
constexpr std::uint64_t k_max_octal_11 = 077777777777;  // size, mtime: 11 digits and a NUL

// Fields of a ustar header: offset and length.
struct Field {
  std::size_t offset;
  std::size_t length;
};
constexpr Field k_name{0, 100};
constexpr Field k_mode{100, 8};
constexpr Field k_uid{108, 8};
constexpr Field k_gid{116, 8};
constexpr Field k_size{124, 12};
constexpr Field k_mtime{136, 12};
constexpr Field k_checksum{148, 8};
constexpr std::size_t k_type_flag = 156;
constexpr Field k_link_name{157, 100};
constexpr Field k_magic{257, 8};  // "ustar\0" and version "00"
constexpr Field k_device_major{329, 8};
constexpr Field k_device_minor{337, 8};

using Block = std::array<char, k_block>;

void set_text(Block& block, Field field, std::string_view text) {
  std::copy_n(text.data(), std::min(text.size(), field.length), block.data() + field.offset);
}

// All digits of the field, without what ends it.
void set_octal(Block& block, Field field, std::uint64_t value) {
  for (std::size_t i = field.length - 1; i-- > 0; value >>= 3U) {
    block[field.offset + i] = static_cast<char>('0' + static_cast<char>(value & 7U));
  }
}

bool is_plain_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool fits_field(std::string_view text, Field field) {
  return text.size() <= field.length && is_plain_ascii(text);
}

// What readers without PAX see of a name: the ASCII bytes of it, cut to the field.
std::string shortened(std::string_view text, Field field) {
  std::string result;
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x80) result += c;
    if (result.size() == field.length) break;
  }
  return result;
}

// "<length> <keyword>=<value>\n", where the length counts its own digits.
std::string pax_record(std::string_view keyword, std::string_view value) {
  const std::size_t rest = keyword.size() + value.size() + 3;
  std::size_t length = rest + 1;
  while (std::to_string(length).size() + rest != length) length = rest + std::to_string(length).size();
  std::string record = fmt::format("{} {}=", length, keyword);
  record.append(value);
  record += '\n';
  return record;
}

void add_xattrs(const std::map<std::string, std::string>& xattrs, std::string_view path,
                std::map<std::string, std::string>& records) {
  for (const auto& [name, value] : xattrs) {
    if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
      throw Error(ErrorKind::failure, fmt::format("{}: extended attribute \"{}\" can't be stored", path, name));
    }
    records["SCHILY.xattr." + name] = value;
  }
}

char type_flag_of(fs::FileType type, const std::string& path) {
  switch (type) {
    case fs::FileType::regular:
      return '0';
    case fs::FileType::symlink:
      return '2';
    case fs::FileType::char_device:
      return '3';
    case fs::FileType::block_device:
      return '4';
    case fs::FileType::directory:
      return '5';
    case fs::FileType::fifo:
      return '6';
    case fs::FileType::socket:
      break;
  }
  throw Error(ErrorKind::failure, fmt::format("{}: a socket can't be stored in a layer", path));
}

}  // namespace

struct TarEncoder::Header {
  std::string_view path;
  char type_flag = '0';
  std::uint32_t mode = 0;
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::uint64_t size = 0;
  std::int64_t mtime = 0;
  std::string_view link_name;
  bool is_device = false;
  std::uint64_t device_major = 0;
  std::uint64_t device_minor = 0;
  const std::map<std::string, std::string>* xattrs = nullptr;
};

void TarEncoder::add(const std::string& path, const fs::FileMetadata& metadata) {
  Header header;
  header.type_flag = type_flag_of(metadata.type, path);
  std::string directory;
  if (metadata.type == fs::FileType::directory) directory = path + '/';
  header.path = directory.empty() ? path : directory;
  header.mode = metadata.mode;
  header.uid = metadata.uid;
  header.gid = metadata.gid;
  header.mtime = metadata.mtime;
  header.size = metadata.type == fs::FileType::regular ? metadata.size : 0;
  if (metadata.type == fs::FileType::symlink) header.link_name = metadata.link_target;
  header.is_device = metadata.type == fs::FileType::char_device || metadata.type == fs::FileType::block_device;
  header.device_major = metadata.device_major;
  header.device_minor = metadata.device_minor;
  header.xattrs = &metadata.xattrs;
  content_size_ = content_left_ = header.size;
  put_header(header);
}

void TarEncoder::add_hard_link(const std::string& path, const std::string& target, const fs::FileMetadata& metadata) {
  Header header;
  header.type_flag = '1';
  header.path = path;
  header.mode = metadata.mode;
  header.uid = metadata.uid;
  header.gid = metadata.gid;
  header.mtime = metadata.mtime;
  header.link_name = target;
  content_size_ = content_left_ = 0;
  put_header(header);
}

void TarEncoder::write_content(ByteSpan data) {
  put(data);
  content_written(data.size());
}

void TarEncoder::content_written(std::uint64_t count) {
  assert(count <= content_left_);
  content_left_ -= count;
  if (content_left_ == 0) pad_to_block(content_size_);
}

void TarEncoder::end() {
  assert(content_left_ == 0);
  const std::array<std::byte, 2 * k_block> zeros{};
  put(zeros);
}

void TarEncoder::put_header(Header header) {
  std::map<std::string, std::string> records;
  std::string short_path;
  std::string short_link_name;
  const auto limit_text = [&](std::string_view& text, Field field, const char* keyword, std::string& room) {
    if (text.find('\0') != std::string_view::npos) throw Error(ErrorKind::failure, "a name holds a NUL byte");
    if (fits_field(text, field)) return;
    records[keyword] = text;
    text = room = shortened(text, field);
  };
  const auto limit_number = [&](std::uint64_t& number, std::uint64_t limit, const char* keyword) {
    if (number <= limit) return;
    records[keyword] = std::to_string(number);
    number = 0;
  };
  const std::string_view full_path = header.path;
  limit_text(header.path, k_name, "path", short_path);
  limit_text(header.link_name, k_link_name, "linkpath", short_link_name);
  limit_number(header.uid, k_max_octal_7, "uid");
  limit_number(header.gid, k_max_octal_7, "gid");
  limit_number(header.size, k_max_octal_11, "size");
  if (header.mtime < 0 || static_cast<std::uint64_t>(header.mtime) > k_max_octal_11) {
    records["mtime"] = std::to_string(header.mtime);
    header.mtime = 0;
  }
  if (header.xattrs != nullptr) add_xattrs(*header.xattrs, full_path, records);
  if (header.device_major > k_max_octal_7 || header.device_minor > k_max_octal_7) {
    throw Error(ErrorKind::failure, fmt::format("{}: device number is too large for a tar", full_path));
  }
  if (!records.empty()) put_pax_records(records);

  Block block{};
  set_text(block, k_name, header.path);
  set_octal(block, k_mode, header.mode & 07777U);
  set_octal(block, k_uid, header.uid);
  set_octal(block, k_gid, header.gid);
  set_octal(block, k_size, header.size);
  set_octal(block, k_mtime, static_cast<std::uint64_t>(header.mtime));
  block[k_type_flag] = header.type_flag;
  set_text(block, k_link_name, header.link_name);
  set_text(block, k_magic, std::string_view("ustar\00000", 8));
  if (header.is_device) {
    set_octal(block, k_device_major, header.device_major);
    set_octal(block, k_device_minor, header.device_minor);
  }
  // The checksum counts its own field as blanks; it is stored as six digits, NUL, blank.
  set_text(block, k_checksum, "        ");
  unsigned sum = 0;
  for (char c : block) sum += static_cast<unsigned char>(c);
  set_octal(block, {k_checksum.offset, 7}, sum);
  block[k_checksum.offset + 6] = '\0';
  put(std::as_bytes(std::span(block)));
}

void TarEncoder::put_pax_records(const std::map<std::string, std::string>& records) {
  std::string body;
  for (const auto& [keyword, value] : records) body += pax_record(keyword, value);
  Header header;
  header.type_flag = 'x';
  header.path = "PaxHeaders.0";
  header.mode = 0644;
  header.size = body.size();
  put_header(header);
  put(as_byte_span(body));
  pad_to_block(body.size());
}

void TarEncoder::pad_to_block(std::uint64_t size) {
  static constexpr std::array<std::byte, k_block> zeros{};
  const std::size_t tail = static_cast<std::size_t>(size % k_block);
  if (tail != 0) put(ByteSpan(zeros).first(k_block - tail));
}

}  // namespace tektii::layer
