#include "lock_file.hpp"

#include <tektii/dockerfile/git_ref.hpp>
#include <tektii/util/clock.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tektii::cli {
namespace {

using Json = nlohmann::json;

constexpr int k_version = 1;
constexpr std::size_t k_max_text = std::size_t{4} << 20;

class Reader {
 public:
  explicit Reader(const std::string& name) : name_(name) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::usage, fmt::format("{}: {}", name_, what))
        .add_hint("write it again with tektii lock, after removing it");
  }

  const Json& object(const Json& parent, const std::string& name) const {
    static const Json k_none = Json::object();
    const auto found = parent.find(name);
    if (found == parent.end()) return k_none;
    if (!found->is_object()) fail(fmt::format("\"{}\" is not an object", name));
    return *found;
  }

  std::string text(const Json& parent, const std::string& name, const std::string& of) const {
    const auto found = parent.is_object() ? parent.find(name) : parent.end();
    if (found == parent.end() || !found->is_string()) fail(fmt::format("{} has no \"{}\"", escape_control(of), name));
    return found->get<std::string>();
  }

  oci::Digest digest(const Json& parent, const std::string& of) const {
    const auto value = text(parent, "digest", of);
    if (!oci::Digest::is_valid(value)) fail(fmt::format("the digest of {} is malformed", escape_control(of)));
    return oci::Digest::parse(value);
  }

 private:
  const std::string& name_;
};

LockedFile read_file_entry(const Reader& reader, const Json& entry, const std::string& key) {
  LockedFile file{reader.digest(entry, key)};
  const auto size = entry.find("size");
  if (size == entry.end() || !size->is_number_unsigned()) {
    reader.fail(fmt::format("{} has no \"size\"", escape_control(key)));
  }
  file.size = size->get<std::uint64_t>();
  if (entry.contains("lastModified")) {
    file.last_modified = parse_rfc3339(reader.text(entry, "lastModified", key));
    if (!file.last_modified) reader.fail(fmt::format("\"lastModified\" of {} is no time", escape_control(key)));
  }
  return file;
}

std::string read_commit(const Reader& reader, const Json& entry, const std::string& key) {
  auto commit = reader.text(entry, "commit", key);
  if (!dockerfile::is_commit_id(commit)) reader.fail(fmt::format("the commit of {} is malformed", escape_control(key)));
  return commit;
}

}  // namespace

LockFile LockFile::parse(std::string_view text, const std::string& name) {
  const Reader reader(name);
  if (text.size() > k_max_text) reader.fail("it is too large for a lock file");
  const auto json = Json::parse(text, nullptr, false);
  if (!json.is_object()) reader.fail("it is not a lock file: it holds no JSON object");
  const auto version = json.find("version");
  if (version == json.end() || !version->is_number_integer()) reader.fail("it is not a lock file: it has no version");
  if (*version != k_version) {
    throw Error(ErrorKind::usage, fmt::format("{}: version {} of lock files is not known", name, version->dump()))
        .add_hint("it was made by a newer tektii; use that one, or remove the file and run tektii lock");
  }
  LockFile lock;
  lock.platform = reader.text(json, "platform", "it");
  for (const auto& [key, value] : reader.object(json, "buildArgs").items()) {
    if (!value.is_string()) reader.fail(fmt::format("the build argument {} is no text", escape_control(key)));
    lock.build_args.emplace(key, value.get<std::string>());
  }
  for (const auto& [key, entry] : reader.object(json, "images").items()) {
    lock.images.emplace(key, reader.digest(entry, key));
  }
  for (const auto& [key, entry] : reader.object(json, "http").items()) {
    lock.files.emplace(key, read_file_entry(reader, entry, key));
  }
  for (const auto& [key, entry] : reader.object(json, "git").items()) {
    lock.repositories.emplace(key, read_commit(reader, entry, key));
  }
  return lock;
}

std::string LockFile::serialise() const {
  Json json = {{"version", k_version}, {"platform", platform}};
  if (!build_args.empty()) json["buildArgs"] = build_args;
  for (const auto& [key, digest] : images) json["images"][key]["digest"] = digest.str();
  for (const auto& [key, file] : files) {
    auto& entry = json["http"][key];
    entry = {{"digest", file.digest.str()}, {"size", file.size}};
    if (file.last_modified) entry["lastModified"] = format_rfc3339(*file.last_modified);
  }
  for (const auto& [key, commit] : repositories) json["git"][key]["commit"] = commit;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tektii::cli
