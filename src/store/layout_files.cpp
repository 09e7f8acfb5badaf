#include "store/layout_files.hpp"

#include "store/blob_file.hpp"
#include <tektii/oci/media_type.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/file_lock.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>
#include <vector>

namespace tektii::store {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view k_layout_text = R"({"imageLayoutVersion":"1.0.0"})";
constexpr std::size_t k_max_document = 4U << 20;

bool is_there(const fs::path& path) {
  std::error_code failure;
  const auto status = fs::status(path, failure);
  if (status.type() == fs::file_type::none) throw_errno("stat " + path.string(), failure.value());
  return fs::exists(status);
}

void check_version(const fs::path& root) {
  const auto path = root / "oci-layout";
  const auto json = nlohmann::json::parse(read_file(path, k_max_document), nullptr, false);
  const auto version = json.is_object() ? json.find("imageLayoutVersion") : json.end();
  if (version == json.end() || !version->is_string() || !version->get_ref<const std::string&>().starts_with("1."))
    throw Error(ErrorKind::usage, path.string() + ": not an OCI image layout of version 1");
}

// A version that we don't know is no damage.
bool names_a_version(const fs::path& layout_file) {
  const auto json = nlohmann::json::parse(read_file(layout_file, k_max_document), nullptr, false);
  return json.is_object() && json.contains("imageLayoutVersion");
}

// Names of the documents that can't be read, each with the reason.
std::vector<std::pair<std::string, std::string>> damaged_documents(const fs::path& root) {
  std::vector<std::pair<std::string, std::string>> damaged;
  if (is_there(root / "oci-layout") && !names_a_version(root / "oci-layout")) {
    damaged.emplace_back("oci-layout", "it names no version");
  }
  try {
    if (is_there(root / "index.json")) oci::Index::parse(read_index_text(root));
  } catch (const Error& error) {
    damaged.emplace_back("index.json", error.what());
  }
  return damaged;
}

}  // namespace

void ensure_layout(const fs::path& root, const std::stop_token& stop) {
  make_directories(root);
  make_directories(root / "blobs" / "sha256");
  if (!is_there(root / "oci-layout") || !is_there(root / "index.json")) {
    // Under the lock that guards index.json: an empty one must not replace one that another process just filled.
    const auto lock = FileLock::acquire(root, LockMode::exclusive, stop);
    const oci::Index empty{std::string(oci::k_media_index), {}};
    if (!is_there(root / "index.json")) write_document(root / "index.json", empty.serialise());
    if (!is_there(root / "oci-layout")) write_document(root / "oci-layout", k_layout_text);
  }
  check_version(root);
}

void mend_layout(const fs::path& root) {
  // Others that have no "actions" are new, or not ours.
  if (!is_there(root / "actions") || damaged_documents(root).empty()) return;
  const auto lock = FileLock::acquire(root, LockMode::exclusive);
  for (const auto& [name, why] : damaged_documents(root)) {
    const auto path = root / name;
    if (name == "index.json") {
      spdlog::warn("{} was damaged and begins anew; the names of images that it had are lost: {}", path.string(), why);
    }
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw_errno("remove " + path.string());
  }
}

void write_document(const fs::path& path, std::string_view text) {
  const auto temporary = path.parent_path() / fmt::format(".{}.{}", path.filename().string(), ::getpid());
  try {
    const auto fd = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (::fchmod(fd.get(), 0644) != 0) throw_errno("chmod " + temporary.string());
    write_fully(fd.get(), as_byte_span(text), temporary.string());
    if (::fdatasync(fd.get()) != 0 && errno != EINVAL) throw_errno("sync " + temporary.string());
    if (::rename(temporary.c_str(), path.c_str()) != 0) throw_errno("rename to " + path.string());
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

void refuse_foreign_directory(const fs::path& root) {
  if (!is_there(root)) return;
  std::error_code failure;
  const fs::directory_iterator entries(root, failure);
  if (failure) throw_errno("read directory " + root.string(), failure.value());
  // "blobs" is what a process that creates the same layout right now makes first.
  if (entries == fs::directory_iterator() || is_there(root / "oci-layout") || is_there(root / "blobs")) return;
  Error error(ErrorKind::usage, root.string() + " is not empty and not an OCI image layout");
  error.add_hint("name a new or empty directory");
  throw error;
}

void check_layout(const fs::path& root) {
  if (!is_there(root)) throw Error(ErrorKind::usage, root.string() + ": no such directory");
  for (const auto* name : {"oci-layout", "index.json"}) {
    if (!is_there(root / name))
      throw Error(ErrorKind::usage, fmt::format("{} is not an OCI image layout: it has no {}", root.string(), name));
  }
  check_version(root);
}

std::string read_index_text(const fs::path& root) {
  return read_file(root / "index.json", k_max_document);
}

std::string ref_name_of(const oci::Descriptor& descriptor) {
  const auto it = descriptor.annotations.find(std::string(k_ref_name));
  return it == descriptor.annotations.end() ? std::string() : it->second;
}

std::vector<oci::Descriptor> entries_tagged(const oci::Index& index, const std::string& tag) {
  std::vector<oci::Descriptor> entries;
  const auto take = [&](const auto& matches) {
    if (!entries.empty()) return;
    std::copy_if(index.manifests.begin(), index.manifests.end(), std::back_inserter(entries),
                 [&](const oci::Descriptor& entry) { return matches(ref_name_of(entry)); });
  };
  take([&](const std::string& name) { return name == tag; });
  // podman writes the whole reference ("localhost/app:1") instead of the tag.
  take([&](const std::string& name) { return name.ends_with(":" + tag); });
  return entries;
}

std::string list_tags(const oci::Index& index) {
  std::vector<std::string> tags;
  for (const auto& entry : index.manifests) {
    if (auto name = escape_control(ref_name_of(entry)); !name.empty()) tags.push_back(std::move(name));
  }
  std::sort(tags.begin(), tags.end());
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  return tags.empty() ? "the images in it have no tags" : "tags in it: " + join(tags, ", ");
}

oci::Descriptor select_entry(const oci::Index& index, const std::string& tag, const std::string& shown) {
  if (index.manifests.empty()) throw Error(ErrorKind::usage, shown + " holds no image");
  if (tag.empty() && index.manifests.size() == 1) return index.manifests.front();
  const auto entries = entries_tagged(index, tag.empty() ? "latest" : tag);
  // Tools that append instead of replacing mean the newest.
  if (!entries.empty()) return entries.back();
  throw Error(ErrorKind::usage, tag.empty() ? fmt::format("{} holds several images; name one by its tag", shown)
                                            : fmt::format("{} has no image tagged \"{}\"", shown, escape_control(tag)))
      .add_hint(list_tags(index));
}

std::string read_blob(const fs::path& root, const oci::Descriptor& blob) {
  const auto path = blob_path_in(root, blob.digest);
  const auto size = blob_size_in(root, blob.digest);
  if (!size) throw Error(ErrorKind::failure, fmt::format("{}: the blob is missing", path.string()));
  // The size first: it decides without reading, and bounds what is read.
  if (*size != blob.size)
    throw Error(ErrorKind::failure,
                fmt::format("{}: size mismatch: expected {} bytes, got {}", path.string(), blob.size, *size));
  auto content = read_file(path, k_max_document);
  const auto digest = oci::Digest::of_bytes(content);
  if (digest != blob.digest)
    throw Error(ErrorKind::failure, fmt::format("{}: digest mismatch: expected {}, got {}", path.string(),
                                                blob.digest.str(), digest.str()));
  return content;
}

}  // namespace tektii::store
