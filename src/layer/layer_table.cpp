#include "layer/layer_table.hpp"

#include "layer/index_codec.hpp"
#include "layer/member_name.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/hash.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <unordered_map>
#include <unordered_set>

namespace tektii::layer {

namespace {

// File format, version 2: the magic line, the SHA-256 of the rest in hex, the number of entries, and the entries in
// order.
constexpr std::string_view k_magic = "tektii-layer-index-2\n";
constexpr std::size_t k_header_size = k_magic.size() + 64;

using Kind = LayerEntry::Kind;

bool is_directory(const LayerEntry& entry) {
  return entry.kind == Kind::file && entry.metadata.type == fs::FileType::directory;
}

bool is_at_or_below(std::string_view path, std::string_view directory) {
  if (directory.empty()) return true;
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

// Works out what the members of one tar come to.
class Normaliser {
 public:
  explicit Normaliser(const LayerIndex& index) : entries_(index.entries), dropped_(entries_.size()) {
    files_.reserve(entries_.size());
  }

  // Valid as long as this object and the index.
  std::vector<const LayerEntry*> run() {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (entries_[i].kind == Kind::file || entries_[i].kind == Kind::hard_link) add(i);
    }
    std::vector<const LayerEntry*> kept;
    kept.reserve(entries_.size());
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (dropped_[i] || (entries_[i].kind == Kind::hard_link && becomes_file(i))) continue;
      kept.push_back(&entries_[i]);
    }
    for (const LayerEntry& entry : made_) kept.push_back(&entry);
    const auto less = [](const LayerEntry* a, const LayerEntry* b) {
      return a->path == b->path ? a->kind < b->kind : path_less(a->path, b->path);
    };
    if (!std::is_sorted(kept.begin(), kept.end(), less)) std::sort(kept.begin(), kept.end(), less);
    // Whiteouts may be said twice.
    const auto same = [](const LayerEntry* a, const LayerEntry* b) { return a->kind == b->kind && a->path == b->path; };
    kept.erase(std::unique(kept.begin(), kept.end(), same), kept.end());
    return kept;
  }

 private:
  void add(std::size_t i) {
    const LayerEntry& entry = entries_[i];
    check_parents(entry.path);
    if (entry.kind == Kind::hard_link) {
      const auto target = files_.find(entry.hard_link_target);
      if (target != files_.end()) targets_.emplace(i, target->second);
    }
    const auto [place, is_new] = files_.try_emplace(entry.path, i);
    const bool directory = is_directory(entry);
    if (!directory && parents_.contains(entry.path)) drop_below(entry.path, i);
    if (is_new) return;
    // What was a file for a while has hidden what other layers have there.
    if (directory && !is_directory(entries_[place->second])) {
      LayerEntry& opaque = made_.emplace_back();
      opaque.kind = Kind::opaque;
      opaque.path = entry.path;
    }
    dropped_[place->second] = true;
    place->second = i;
  }

  // Members of one directory mostly follow one another.
  void check_parents(std::string_view path) {
    const std::string_view parent = parent_path(path);
    if (parent == last_parent_) return;
    for (std::string_view above = parent; !above.empty(); above = parent_path(above)) {
      const auto file = files_.find(above);
      if (file != files_.end() && !is_directory(entries_[file->second])) {
        throw Error(ErrorKind::failure,
                    fmt::format("\"{}\" is below \"{}\", which the same layer makes something else than a directory",
                                escape_control(path), escape_control(above)));
      }
      if (!parents_.insert(above).second) break;
    }
    last_parent_ = parent;
  }

  void drop_below(std::string_view path, std::size_t end) {
    for (std::size_t i = 0; i < end; ++i) {
      const std::string_view other = entries_[i].path;
      if (dropped_[i] || other.size() <= path.size() || !is_at_or_below(other, path)) continue;
      if (entries_[i].kind != Kind::file && entries_[i].kind != Kind::hard_link) continue;
      dropped_[i] = true;
      files_.erase(other);
    }
    std::erase_if(parents_, [&](std::string_view parent) { return is_at_or_below(parent, path); });
    last_parent_ = {};
  }

  // The file that member `i` is, over any number of links; nullptr when it is a directory or leads nowhere.
  const LayerEntry* file_of(std::size_t i) const {
    for (std::size_t hops = 0; hops <= entries_.size(); ++hops) {
      if (entries_[i].kind == Kind::file) return is_directory(entries_[i]) ? nullptr : &entries_[i];
      if (const auto then = targets_.find(i); then != targets_.end()) {
        i = then->second;
        continue;
      }
      const auto target = files_.find(entries_[i].hard_link_target);
      if (target == files_.end()) return nullptr;
      i = target->second;
    }
    return nullptr;
  }

  // True when the link leads to what another member has taken the name of since: then it counts as a file of its own.
  bool becomes_file(std::size_t i) {
    const LayerEntry& link = entries_[i];
    const LayerEntry* file = file_of(i);
    if (file == nullptr) {
      throw Error(ErrorKind::failure,
                  fmt::format("hard link \"{}\" leads to \"{}\", which is no file of the same layer",
                              escape_control(link.path), escape_control(link.hard_link_target)));
    }
    const auto index = static_cast<std::size_t>(file - entries_.data());
    const auto target = files_.find(link.hard_link_target);
    if (!dropped_[index] && target != files_.end() && file_of(target->second) == file) return false;
    LayerEntry& made = made_.emplace_back(*file);
    made.path = link.path;
    return true;
  }

  const std::vector<LayerEntry>& entries_;
  std::vector<bool> dropped_;
  std::unordered_map<std::string_view, std::size_t> files_;  // the last one of each name
  std::unordered_set<std::string_view> parents_;             // of what was added
  std::string_view last_parent_;
  std::unordered_map<std::size_t, std::size_t> targets_;  // of hard links, as they were when the link came
  std::deque<LayerEntry> made_;                           // members that the tar has in another form
};

}  // namespace

std::string LayerTable::serialise(const LayerIndex& index) {
  Normaliser normaliser(index);
  const auto kept = normaliser.run();
  IndexWriter out;
  out.number(kept.size());
  for (const LayerEntry* entry : kept) out.entry(*entry);
  const std::string body = out.take();
  std::string bytes;
  bytes.reserve(k_header_size + body.size());
  bytes.append(k_magic).append(Sha256::hex_of(body)).append(body);
  return bytes;
}

std::shared_ptr<const LayerTable> LayerTable::build(const LayerIndex& index) {
  const auto table = std::make_shared<LayerTable>();
  table->bytes_ = serialise(index);
  table->scan();
  return table;
}

std::shared_ptr<const LayerTable> LayerTable::parse(std::string bytes) {
  const std::string_view text = bytes;
  if (!text.starts_with(k_magic) || text.size() < k_header_size) IndexReader::damaged();
  if (Sha256::hex_of(text.substr(k_header_size)) != text.substr(k_magic.size(), k_header_size - k_magic.size())) {
    IndexReader::damaged();
  }
  const auto table = std::make_shared<LayerTable>();
  table->bytes_ = std::move(bytes);
  table->scan();
  return table;
}

void LayerTable::scan() {
  if (bytes_.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw Error(ErrorKind::failure, "the index of the layer is larger than 4 GiB");
  }
  IndexReader in(std::string_view(bytes_).substr(k_header_size));
  const std::uint64_t count = in.number();
  // An entry takes three bytes at least, so a wrong count can't ask for more memory than the file justifies.
  records_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(count, in.remaining() / 3)));
  std::vector<Text> known;
  for (std::uint64_t i = 0; i < count; ++i) {
    const Kind kind = in.kind();
    const std::string& path = in.path();
    const bool in_order = records_.empty() || path_less(this->path(records_.size() - 1), path) ||
                          (this->path(records_.size() - 1) == path && records_.back().kind < kind);
    if (!in_order || path.size() > std::numeric_limits<std::uint16_t>::max()) IndexReader::damaged();
    if (paths_.size() + path.size() > std::numeric_limits<std::uint32_t>::max()) IndexReader::damaged();
    const Text text{static_cast<std::uint32_t>(paths_.size()), static_cast<std::uint32_t>(path.size())};
    paths_ += path;
    note_parents(text, known);
    if (kind == Kind::file) known.push_back(text);
    records_.push_back({text.offset, static_cast<std::uint32_t>(bytes_.size() - in.remaining()),
                        static_cast<std::uint16_t>(text.size), kind});
    in.skip_rest(kind);
  }
  if (!in.at_end()) IndexReader::damaged();
}

// `known` holds entries and parents that lead to the entry before, each below the one before it. What is not above the
// new one is done with, because of the order; a parent that is not among the rest has no entry.
void LayerTable::note_parents(Text entry, std::vector<Text>& known) {
  const auto view = [this](Text text) { return std::string_view(paths_).substr(text.offset, text.size); };
  const std::string_view path = view(entry);
  while (!known.empty() && (known.back().size >= entry.size || !is_at_or_below(path, view(known.back())))) {
    known.pop_back();
  }
  const std::size_t depth = known.size();
  for (std::string_view above = parent_path(path); !above.empty(); above = parent_path(above)) {
    if (depth != 0 && view(known[depth - 1]) == above) break;
    implicit_directories_.push_back({entry.offset, static_cast<std::uint32_t>(above.size())});
    known.insert(known.begin() + static_cast<std::ptrdiff_t>(depth),
                 Text{entry.offset, static_cast<std::uint32_t>(above.size())});
  }
}

LayerEntry LayerTable::entry(std::size_t i) const {
  LayerEntry entry;
  entry.kind = records_[i].kind;
  entry.path = path(i);
  IndexReader(std::string_view(bytes_).substr(records_[i].rest_offset)).rest_of(entry);
  return entry;
}

LayerTable::Range LayerTable::at_or_below(std::string_view path, Range within) const {
  if (path.empty()) return within;
  const auto first_without = [&](Range range, const auto& holds) {
    while (range.begin < range.end) {
      const std::size_t middle = range.begin + (range.end - range.begin) / 2;
      if (holds(this->path(middle))) {
        range.begin = middle + 1;
      } else {
        range.end = middle;
      }
    }
    return range.begin;
  };
  const std::size_t begin = first_without(within, [&](std::string_view other) { return path_less(other, path); });
  // Mostly there is nothing or one.
  std::size_t end = begin;
  for (int i = 0; i < 4 && end < within.end && is_at_or_below(this->path(end), path); ++i) ++end;
  if (end < begin + 4) return {begin, end};
  return {begin, first_without({end, within.end}, [&](std::string_view other) { return is_at_or_below(other, path); })};
}

}  // namespace tektii::layer
