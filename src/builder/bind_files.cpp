#include "bind_files.hpp"

#include <tektii/layer/tree_writer.hpp>
#include <tektii/util/error.hpp>

namespace tektii::builder {

BindFiles::Files BindFiles::get(const std::string& key, CopySource& source, const std::string& path,
                                layer::Snapshots& snapshots, const std::stop_token& stop) {
  const auto entry = [&] {
    const std::lock_guard lock(mutex_);
    auto& known = entries_[key];
    if (!known) known = std::make_shared<Entry>();
    return known;
  }();
  const std::lock_guard lock(entry->mutex);
  if (!entry->workspace) {
    auto workspace = snapshots.make_workspace();
    entry->path = write_files(source, path, workspace.upper(), stop);
    entry->workspace.emplace(std::move(workspace));
  }
  return {entry->workspace->upper(), entry->path};
}

bool has_path(CopySource& source, const std::string& path) {
  std::string pattern;
  for (const char c : path) {
    if (c == '*' || c == '?' || c == '[' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return !source.match(pattern).empty();
}

std::string write_files(CopySource& source, const std::string& path, const std::filesystem::path& directory,
                        const std::stop_token& stop) {
  layer::TreeWriter writer(directory);
  std::string written = "/";
  source.visit(path, [](const SourceEntry& entry) {
    if (entry.file) entry.file->announce();
  });
  std::map<std::string, std::string> first_names;
  source.visit(path, [&](const SourceEntry& entry) {
    throw_if_stopped(stop);
    std::string name = entry.relative_path;
    if (name.empty() && entry.metadata.type != fs::FileType::directory) {
      name = path.substr(path.rfind('/') == std::string::npos ? 0 : path.rfind('/') + 1);
      written = "/" + name;
    }
    if (!entry.link_id.empty()) {
      const auto [first, is_new] = first_names.emplace(entry.link_id, name);
      if (!is_new) return writer.add_hard_link(name, first->second);
    }
    with_completed(entry.file.get(), entry.metadata, [&](const fs::FileMetadata& metadata, const BlobOpener& content) {
      writer.add(name, metadata, content);
    });
  });
  writer.finish();
  return written;
}

}  // namespace tektii::builder
