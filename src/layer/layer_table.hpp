#pragma once

#include <tektii/layer/layer_index.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::layer {

// What a layer contains, in the form that is kept in the store and looked things up in: one entry per path and meaning,
// sorted by path_less(), so that what is below a directory stands together behind it. An entry takes some ten bytes
// beside its path and is decoded when it is asked for. Never changes; any thread may read it.
class LayerTable {
 public:
  // Of the members of a tar in their order: of those with one name the last one counts, and a file takes what the same
  // layer had below it before. Throws Error{failure} for a hard link to what is no file of the layer, and for a member
  // below something that is no directory.
  static std::shared_ptr<const LayerTable> build(const LayerIndex& index);
  // The serialised form of that alone, for half of the work.
  static std::string serialise(const LayerIndex& index);
  // What serialised() gave. Throws Error{failure} on anything damaged.
  static std::shared_ptr<const LayerTable> parse(std::string bytes);
  const std::string& serialised() const { return bytes_; }

  std::size_t size() const { return records_.size(); }
  std::string_view path(std::size_t i) const {
    return std::string_view(paths_).substr(records_[i].path_offset, records_[i].path_size);
  }
  LayerEntry::Kind kind(std::size_t i) const { return records_[i].kind; }
  LayerEntry entry(std::size_t i) const;

  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool empty() const { return begin == end; }
  };
  // The entries of `path` itself, which come first, and of everything below it. Looks no further than `within`.
  Range at_or_below(std::string_view path, Range within) const;
  Range all() const { return {0, size()}; }

  // Directories that something is in (or taken out of) and that have no entry of their own.
  std::size_t implicit_directories() const { return implicit_directories_.size(); }
  std::string_view implicit_directory(std::size_t i) const {
    return std::string_view(paths_).substr(implicit_directories_[i].offset, implicit_directories_[i].size);
  }

 private:
  struct Record {
    std::uint32_t path_offset;
    std::uint32_t rest_offset;  // of what follows the path in bytes_
    std::uint16_t path_size;
    LayerEntry::Kind kind;
  };
  struct Text {  // in paths_
    std::uint32_t offset;
    std::uint32_t size;
  };
  void scan();
  void note_parents(Text entry, std::vector<Text>& known);

  std::string bytes_;
  std::string paths_;
  std::vector<Record> records_;
  // Parts of paths_: a name of a thousand components would else take a thousand strings.
  std::vector<Text> implicit_directories_;
};

}  // namespace tektii::layer
