#include "layer/member_name.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace tektii::layer {

namespace {

constexpr std::size_t k_max_component = 255;
constexpr std::size_t k_max_path = 4096;
constexpr std::string_view k_whiteout_prefix = ".wh.";
constexpr std::string_view k_aufs_prefix = ".wh..wh.";
constexpr std::string_view k_opaque_marker = ".wh..wh..opq";

[[noreturn]] void refuse(std::string_view name, std::string_view why) {
  throw Error(ErrorKind::failure, fmt::format("entry \"{}\" {}", escape_control(name.substr(0, 300)), why));
}

}  // namespace

std::string normalise_member_name(std::string_view name) {
  std::string result;
  std::size_t begin = 0;
  while (begin <= name.size()) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view component = name.substr(begin, end - begin);
    begin = end + 1;
    if (component.empty() || component == ".") continue;
    if (component == "..") refuse(name, "has \"..\" in its path");
    // The whiteout of the longest possible name is longer than that.
    const std::size_t prefix = component.starts_with(k_whiteout_prefix) ? k_whiteout_prefix.size() : 0;
    if (component.size() - prefix > k_max_component) refuse(name, "has a component above 255 bytes");
    if (!result.empty()) result += '/';
    result.append(component);
  }
  if (result.size() > k_max_path) refuse(name, "is longer than 4096 bytes");
  return result;
}

bool is_plain_member_name(std::string_view path) {
  if (path.empty() || path.size() > k_max_path) return false;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view component = path.substr(begin, end - begin);
    if (component.empty() || component.size() > k_max_component) return false;
    if (component == "." || component == ".." || component.starts_with(k_whiteout_prefix)) return false;
    begin = end + 1;
  }
  return true;
}

MemberName classify_member(std::string_view path) {
  if (path.find(k_whiteout_prefix) == std::string_view::npos) return {MemberName::Kind::file, std::string(path)};
  const std::string_view directory = parent_path(path);
  const std::string_view base = base_name(path);
  std::size_t begin = 0;
  while (begin < directory.size()) {
    const std::size_t end = std::min(directory.find('/', begin), directory.size());
    const std::string_view component = directory.substr(begin, end - begin);
    begin = end + 1;
    if (component.starts_with(k_aufs_prefix)) return {MemberName::Kind::ignored, std::string(path)};
    if (component.starts_with(k_whiteout_prefix)) refuse(path, "is inside of a whiteout");
  }
  if (!base.starts_with(k_whiteout_prefix)) return {MemberName::Kind::file, std::string(path)};
  if (base == k_opaque_marker) return {MemberName::Kind::opaque, std::string(directory)};
  if (base.starts_with(k_aufs_prefix)) return {MemberName::Kind::ignored, std::string(path)};
  const std::string_view removed = base.substr(k_whiteout_prefix.size());
  if (removed.empty() || removed == "." || removed == "..") refuse(path, "is a whiteout without a name");
  std::string target(directory);
  if (!target.empty()) target += '/';
  target.append(removed);
  return {MemberName::Kind::whiteout, std::move(target)};
}

std::string_view parent_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool path_less(std::string_view a, std::string_view b) {
  // Neighbours in a layer have much in common.
  constexpr std::size_t k_chunk = 16;
  const std::size_t common = std::min(a.size(), b.size());
  std::size_t i = 0;
  while (common - i >= k_chunk && std::memcmp(a.data() + i, b.data() + i, k_chunk) == 0) i += k_chunk;
  while (i < common && a[i] == b[i]) ++i;
  if (i == common) return a.size() < b.size();
  const auto rank = [](char c) { return c == '/' ? 0 : static_cast<int>(static_cast<unsigned char>(c)) + 1; };
  return rank(a[i]) < rank(b[i]);
}

}  // namespace tektii::layer
