#include "copy_inputs.hpp"

#include "archive_source.hpp"
#include "context_files.hpp"
#include <tektii/layer/tar_archive.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/parallel.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <thread>
#include <utility>

namespace tektii::builder {
namespace {

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') == std::string::npos ? 0 : path.rfind('/') + 1);
}

// What is at a path, without a look at what is below. nullopt for a directory of which only something below is offered.
std::optional<SourceEntry> entry_at(CopySource& source, const std::string& path) {
  std::optional<SourceEntry> found;
  source.visit(
      path, [&](SourceEntry&& entry) { found = std::move(entry); }, [](const std::string&) { return true; });
  return found;
}

bool is_file(CopySource& source, const std::string& path) {
  const auto entry = entry_at(source, path);
  return entry && entry->metadata.type != fs::FileType::directory;
}

// What is in the directory that a path names something in.
std::vector<std::string> siblings_of(CopySource& source, const std::string& path) {
  const auto slash = path.rfind('/');
  const auto parent = slash == std::string::npos ? std::string{} : path.substr(0, slash);
  std::vector<std::string> siblings;
  if (source.match(parent).empty()) return siblings;
  source.visit(
      parent,
      [&](const SourceEntry& entry) {
        if (!entry.relative_path.empty()) {
          siblings.push_back(parent.empty() ? entry.relative_path : parent + "/" + entry.relative_path);
        }
      },
      [](const std::string& directory) { return !directory.empty(); });
  return siblings;
}

}  // namespace

namespace {

bool is_unread(const SourceContent& content) {
  return content.content_hash != nullptr && !is_known(*content.content_hash);
}

std::vector<SourceContent> contents_of(const std::vector<SourceEntry>& entries) {
  std::vector<SourceContent> contents;
  const auto has_content = [](const SourceEntry& entry) { return entry.file != nullptr; };
  contents.reserve(static_cast<std::size_t>(std::count_if(entries.begin(), entries.end(), has_content)));
  std::copy_if(entries.begin(), entries.end(), std::back_inserter(contents), has_content);
  return contents;
}

}  // namespace

PathWord parse_path_word(const std::string& word, bool parents) {
  PathWord parsed;
  parsed.is_literal = !fs::has_glob_meta(word);
  parsed.pattern = word;
  if (!parents) return parsed;
  constexpr std::string_view k_pivot = "/./";
  const auto pivot = word.find(k_pivot);
  const bool has_pivot = pivot != std::string::npos;
  parsed.pattern = has_pivot ? word.substr(0, pivot) : std::string{};
  auto include = clean_source_path(has_pivot ? word.substr(pivot + k_pivot.size()) : word);
  if (!include.empty()) parsed.include = std::move(include);
  return parsed;
}

bool has_source(CopySource& source, const PathWord& word) {
  const auto found = source.match(word.pattern);
  if (!word.is_literal) return true;
  if (found.empty() || !word.include) return !found.empty();
  return CopyFilter(word.include, {}).takes_anything(source, found.front());
}

Error missing_source(CopySource& source, const std::string& word, const std::string& where) {
  const auto path = clean_source_path(word);
  if (const auto reason = source.exclusion_reason(path); !reason.empty()) {
    Error error(ErrorKind::usage, fmt::format("{} is {}", word, reason));
    return error.add_hint(fmt::format("add a line !{} to the ignore file", path));
  }
  Error error(ErrorKind::usage, fmt::format("{} not found in {}", word, where));
  if (const auto match = closest_match(path, siblings_of(source, path)); match && *match != path) {
    error.add_hint(fmt::format("did you mean {}?", *match));
  } else if (match) {
    error.add_hint(fmt::format("{} is a link, and what it names is not there", word));
  }
  if (word.starts_with("../")) error.add_hint("paths can't leave the context directory");
  return error;
}

CopyInputs::CopyInputs(const dockerfile::Copy& copy, const BuildRequest& request, const BuildDeps& deps,
                       CopySource& local, std::stop_token stop)
    : copy_(copy), request_(request), deps_(deps), local_(local), stop_(std::move(stop)) {}

void CopyInputs::add_word(const std::string& word) {
  auto reference = parse_add_reference(word);
  check_takes_remote(reference, copy_.is_add);
  check_takes_checksum(reference, copy_.checksum.has_value());
  if (reference.kind == AddReference::Kind::path) return add_path(word);
  if (deps_.remote == nullptr) throw Error(ErrorKind::usage, fmt::format("{} can't be fetched here", word));
  const RemoteRules rules{*deps_.remote, deps_.progress, request_.source_date_epoch, request_.preserve_timestamps,
                          stop_,         deps_.materials};
  if (reference.kind == AddReference::Kind::git) {
    apply_git_flags(reference.git, copy_.keep_git_dir, copy_.checksum);
    return add_fetched(make_git_source(rules, std::move(reference.git)), "", false);
  }
  RemoteFileRequest file{word, std::nullopt};
  if (copy_.checksum) file.checksum = parse_file_checksum(*copy_.checksum);
  add_fetched(make_url_source(rules, std::move(file)), file_name_of_url(word), copy_.unpack.value_or(false));
}

void CopyInputs::add_fetched(std::unique_ptr<CopySource> source, std::string name, bool unpack) {
  owned_.push_back(std::move(source));
  const auto filter = std::make_shared<CopyFilter>(std::nullopt, copy_.exclude);
  add_item({owned_.back().get(), std::move(name), filter, unpack});
}

void CopyInputs::add_path(const std::string& word) {
  const auto parsed = parse_path_word(word, copy_.parents.value_or(false));
  if (!has_source(local_, parsed)) {
    throw missing_source(local_, word, copy_.from ? *copy_.from : "the build context");
  }
  const auto filter = std::make_shared<const CopyFilter>(parsed.include, copy_.exclude);
  const bool unpack = copy_.unpack.value_or(copy_.is_add);
  const bool found_by_wildcard = fs::has_glob_meta(parsed.pattern);
  for (auto& path : local_.match(parsed.pattern)) {
    // Only a directory has something behind the pivot; and a file that a wildcard finds may be one to leave out.
    if (parsed.include && is_file(local_, path)) continue;
    if (found_by_wildcard && filter->excludes_name(base_name(path)) && is_file(local_, path)) continue;
    add_item({&local_, std::move(path), filter, unpack});
  }
}

void CopyInputs::add_text(const dockerfile::Heredoc& heredoc) {
  owned_.push_back(make_text_source(heredoc.content, request_.source_date_epoch));
  add_item({owned_.back().get(), heredoc.name, std::make_shared<CopyFilter>(), false});
}

std::vector<SourceEntry> CopyInputs::visited(const Item& item) const {
  std::vector<SourceEntry> entries;
  item.filter->visit(*item.source, item.path, [&](SourceEntry&& entry) {
    throw_if_stopped(stop_);
    entries.push_back(std::move(entry));
  });
  return entries;
}

void CopyInputs::add_item(Item item) {
  if (!item.source->known_content()) item.entries = visited(item);
  items_.push_back(std::move(item));
}

void CopyInputs::add_shape_to(KeyBuilder& key) const {
  std::map<std::string, std::string> first_names;  // link ids differ between machines, the first name does not
  for (const auto& item : items_) {
    key.field("source", base_name(item.path)).field("unpack", item.unpack ? "archives" : "nothing");
    if (const auto known = item.source->known_content()) {
      key.field("known", *known);
      for (const auto& pattern : copy_.exclude) key.field("exclude", pattern);
      continue;
    }
    for (const auto& entry : item.entries) {
      throw_if_stopped(stop_);
      key.field("path", entry.relative_path).metadata(entry.metadata);
      if (entry.link_id.empty()) continue;
      const auto name = item.path + "/" + entry.relative_path;
      key.field("same file as", first_names.emplace(entry.link_id, name).first->second);
    }
  }
}

template <typename Visit>
void CopyInputs::for_each_content(const Visit& visit) const {
  for (const auto& item : items_) {
    for (const auto& entry : item.entries) {
      throw_if_stopped(stop_);
      if (entry.file) visit(entry);
    }
    for (const auto& content : item.contents) {
      throw_if_stopped(stop_);
      visit(content);
    }
  }
}

void CopyInputs::add_contents_to(KeyBuilder& key, ByteMeter& meter) {
  read_unread_files(meter);
  for_each_content([&](const SourceContent& content) { key.field("content", content.file->content_id()); });
}

void CopyInputs::add_stamps_to(KeyBuilder& key) const {
  for_each_content([&](const SourceContent& content) {
    if (content.stamp == nullptr) {
      key.field("content", content.file->content_id());
      return;
    }
    const auto& stamp = *content.stamp;
    key.field("stamp",
              fmt::format("{}:{}:{}:{}", stamp.device, stamp.inode, stamp.mtime_nanoseconds, stamp.ctime_nanoseconds));
  });
}

bool CopyInputs::has_unread_files() const {
  return std::any_of(items_.begin(), items_.end(),
                     [](const Item& item) { return std::any_of(item.entries.begin(), item.entries.end(), is_unread); });
}

void CopyInputs::read_unread_files(ByteMeter& meter) {
  std::vector<const SourceContent*> unread;
  for_each_content([&](const SourceContent& content) {
    if (is_unread(content)) unread.push_back(&content);
  });
  for_each_in_parallel(unread.size(), std::max(1U, std::thread::hardware_concurrency()), stop_,
                       [&](std::size_t i, const std::stop_token& stop) {
                         throw_if_stopped(stop);
                         unread[i]->file->content_id();
                         meter.add(unread[i]->stamp->size);
                       });
}

// Opens the item when it is a file and an archive to unpack.
BlobOpener CopyInputs::as_archive(const Item& item) const {
  if (!item.unpack) return {};
  // What the key was made of is what is opened; only a source that told its content was not looked at yet.
  const auto entry = item.entries.empty() ? entry_at(*item.source, item.path) : item.entries.front();
  if (!entry || !entry->file) return {};
  if (!layer::is_tar_archive(*entry->file->open())) return {};
  return [file = entry->file] { return file->open(); };
}

void CopyInputs::plan(CopyPlan& plan, const CopyDestination& destination) {
  const auto latest = request_.preserve_timestamps ? std::nullopt : std::optional(request_.source_date_epoch);
  for (auto& item : items_) {
    if (auto archive = as_archive(item)) {
      const auto source = make_archive_source(std::move(archive), deps_.snapshots, latest, stop_);
      try {
        plan.unpack(*source, destination);
      } catch (Error& error) {
        error.add_context("unpack " + item.path);
        throw;
      }
    } else if (item.entries.empty()) {
      // The source told its content, and nobody has looked at its files yet.
      auto entries = visited(item);
      plan.copy(entries, item.path, destination);
    } else {
      plan.copy(item.entries, item.path, destination);
      item.contents = contents_of(item.entries);
      item.entries = std::vector<SourceEntry>();
    }
  }
}

}  // namespace tektii::builder
