#pragma once

#include <tektii/layer/layer_index.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace tektii::layer {

// How the entries of a layer are written down: numbers are LEB128, strings are length and bytes, a path is the length
// of what it shares with the path before it and the rest. Half a million entries are scanned in a few hundredths of a
// second.
class IndexWriter {
 public:
  void number(std::uint64_t value);
  void entry(const LayerEntry& entry);
  std::string take() { return std::move(out_); }

 private:
  void signed_number(std::int64_t value);
  void text(std::string_view value);
  void path(const std::string& value);
  void metadata(const fs::FileMetadata& metadata);

  std::string out_;
  std::string previous_;
};

// Throws Error{failure} on anything damaged.
class IndexReader {
 public:
  explicit IndexReader(std::string_view data) : rest_(data) {}

  bool at_end() const { return rest_.empty(); }
  std::size_t remaining() const { return rest_.size(); }
  std::uint64_t number();
  LayerEntry entry();

  // The two halves of an entry: kind and path; and what follows, which can be read without what came before.
  LayerEntry::Kind kind();
  const std::string& path();  // valid until the next one
  void rest_of(LayerEntry& entry);
  void skip_rest(LayerEntry::Kind kind);

  [[noreturn]] static void damaged();

 private:
  std::uint32_t number_32();
  std::int64_t signed_number();
  std::string_view text();
  fs::FileMetadata metadata();

  std::string_view rest_;
  std::string previous_;
};

}  // namespace tektii::layer
