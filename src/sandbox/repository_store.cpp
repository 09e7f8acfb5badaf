#include "sandbox/repository_store.hpp"

#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <algorithm>

namespace tektii::sandbox {
namespace {

constexpr std::string_view k_blobs = "_blobs";
constexpr std::string_view k_manifests = "_manifests";
constexpr std::string_view k_tags = "_tags";

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_word_character(char c) {
  return is_name_character(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

// [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
bool is_name_component(std::string_view text) {
  if (text.empty() || !is_name_character(text.front()) || !is_name_character(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (is_name_character(text[i])) {
      ++i;
      continue;
    }
    const std::size_t end = std::min(text.find_first_not_of(text[i], i), text.size());
    const std::string_view separator = text.substr(i, end - i);
    if (separator != "." && separator != "_" && separator != "__" && separator.front() != '-') return false;
    if (!is_name_character(text[end]))
      return false;  // two kinds of separator; `end` is inside: the last is no separator
    i = end;
  }
  return true;
}

std::vector<std::string> entries_of(const std::filesystem::path& directory) {
  std::vector<std::string> result;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(directory, missing)) {
    // Files being written have a name that is no tag.
    if (is_tag(entry.path().filename().string())) result.push_back(entry.path().filename().string());
  }
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace

bool is_repository_name(std::string_view name) {
  constexpr std::size_t k_max_length = 255;
  if (name.empty() || name.size() > k_max_length) return false;
  const std::vector<std::string> components = split(name, '/');
  return std::all_of(components.begin(), components.end(), is_name_component);
}

bool is_tag(std::string_view tag) {
  constexpr std::size_t k_max_length = 128;
  if (tag.empty() || tag.size() > k_max_length || !is_word_character(tag.front())) return false;
  return std::all_of(tag.begin(), tag.end(), [](char c) { return is_word_character(c) || c == '.' || c == '-'; });
}

std::filesystem::path RepositoryStore::path(std::string_view name, std::string_view kind,
                                            std::string_view entry) const {
  return root_ / name / kind / entry;
}

bool RepositoryStore::exists(std::string_view name) const {
  return std::filesystem::exists(root_ / name / k_blobs) || std::filesystem::exists(root_ / name / k_manifests);
}

bool RepositoryStore::has_blob(std::string_view name, const oci::Digest& digest) const {
  return std::filesystem::exists(path(name, k_blobs, digest.hex()));
}

void RepositoryStore::link_blob(std::string_view name, const oci::Digest& digest) {
  if (has_blob(name, digest)) return;
  make_directories(root_ / name / k_blobs);
  write_file_atomic(path(name, k_blobs, digest.hex()), "");
}

std::optional<std::string> RepositoryStore::manifest_type(std::string_view name, const oci::Digest& digest) const {
  const std::filesystem::path file = path(name, k_manifests, digest.hex());
  if (!std::filesystem::exists(file)) return std::nullopt;
  return read_file(file);
}

void RepositoryStore::link_manifest(std::string_view name, const oci::Digest& digest, std::string_view media_type) {
  make_directories(root_ / name / k_manifests);
  write_file_atomic(path(name, k_manifests, digest.hex()), media_type);
}

std::optional<oci::Digest> RepositoryStore::find_tag(std::string_view name, std::string_view tag) const {
  const std::filesystem::path file = path(name, k_tags, tag);
  if (!std::filesystem::exists(file)) return std::nullopt;
  return oci::Digest::parse(read_file(file));
}

void RepositoryStore::set_tag(std::string_view name, std::string_view tag, const oci::Digest& digest) {
  make_directories(root_ / name / k_tags);
  write_file_atomic(path(name, k_tags, tag), digest.str());
}

std::vector<std::string> RepositoryStore::tags(std::string_view name) const {
  return entries_of(root_ / name / k_tags);
}

std::vector<std::string> RepositoryStore::names() const {
  std::vector<std::string> result;
  std::error_code missing;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_, missing)) {
    if (!entry.is_directory() || entry.path().filename() != k_manifests) continue;
    result.push_back(entry.path().parent_path().lexically_relative(root_).generic_string());
  }
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace tektii::sandbox
