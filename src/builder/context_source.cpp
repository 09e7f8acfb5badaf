#include "context_source.hpp"

#include <tektii/fs/read_inside.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <map>
#include <optional>

namespace tektii::builder {
namespace {

constexpr const char* k_ignore_name = ".dockerignore";
constexpr std::size_t k_max_ignore = 16 << 20;

std::optional<std::string> read_ignore_file(const NamedContext& context) {
  // Symlinks of what was fetched must not lead to files of this machine.
  const bool is_own = !context.time;
  if (!is_own) return fs::read_inside(context.directory, k_ignore_name, k_max_ignore);
  std::error_code failure;
  const auto file = context.directory / k_ignore_name;
  if (!std::filesystem::is_regular_file(file, failure)) return std::nullopt;
  return read_file(file, k_max_ignore);
}

}  // namespace

std::unique_ptr<CopySource> make_named_context_source(const BuildRequest& request, const std::string& key,
                                                      DirectoryRules rules) {
  const auto& context = request.named_contexts.at(key);
  fs::IgnorePatterns ignore;
  if (const auto text = read_ignore_file(context)) ignore = fs::IgnorePatterns::parse(*text, k_ignore_name);
  return make_directory_source(context.directory, std::move(ignore), k_ignore_name, rules);
}

std::vector<SourceEntry> entries_of(CopySource& source, const std::stop_token& stop) {
  std::vector<SourceEntry> entries;
  source.visit("", [&](SourceEntry&& entry) {
    throw_if_stopped(stop);
    entries.push_back(std::move(entry));
  });
  return entries;
}

void add_entries(KeyBuilder& key, const std::vector<SourceEntry>& entries, ByteMeter& meter,
                 const std::stop_token& stop) {
  std::map<std::string, std::string> first_names;  // link ids differ between machines, the first name does not
  for (const auto& entry : entries) {
    throw_if_stopped(stop);
    key.field("path", entry.relative_path).metadata(entry.metadata);
    if (!entry.link_id.empty()) {
      key.field("same file as", first_names.emplace(entry.link_id, entry.relative_path).first->second);
    }
    if (entry.file) {
      key.field("content", entry.file->content_id());
      meter.add(entry.metadata.size);
    }
  }
}

void add_tree(KeyBuilder& key, CopySource& source, ByteMeter& meter, const std::stop_token& stop) {
  add_entries(key, entries_of(source, stop), meter, stop);
}

std::optional<layer::WrittenLayer> write_entries(const std::vector<SourceEntry>& entries, layer::LayerWriter writer,
                                                 const std::stop_token& stop) {
  std::map<std::string, std::string> first_names;
  for (const auto& entry : entries) {
    throw_if_stopped(stop);
    if (entry.relative_path.empty()) continue;  // the root itself stays as every root is
    auto metadata = entry.metadata;
    metadata.uid = 0;
    metadata.gid = 0;
    if (!entry.link_id.empty()) {
      const auto [first, is_first] = first_names.emplace(entry.link_id, entry.relative_path);
      if (!is_first) {
        writer.add_hard_link(entry.relative_path, first->second);
        continue;
      }
    }
    with_completed(entry.file.get(), std::move(metadata), [&](fs::FileMetadata all, const BlobOpener& content) {
      writer.add(entry.relative_path, std::move(all), content);
    });
  }
  if (writer.empty()) return std::nullopt;
  return writer.commit();
}

}  // namespace tektii::builder
