#include "cli/results/record_reader.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstddef>
#include <iterator>
#include <string_view>

namespace tektii::cli {

namespace {

using nlohmann::json;

constexpr std::size_t k_buffer_size = 64U << 10;

Error unreadable(std::string_view why) {
  return Error(ErrorKind::network, fmt::format("the results can't be read: {}", why))
      .add_hint("--format json gives them as the platform sends them");
}

// A stream as the input iterator that the parser reads from. Copies share the place.
class SourceIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  struct Buffer {
    ByteSource& source;
    std::array<std::byte, k_buffer_size> bytes{};
    std::size_t size = 0;
    std::size_t place = 0;
    bool ended = false;

    void fill() {
      size = source.read(bytes);
      place = 0;
      ended = size == 0;
    }
  };

  SourceIterator() = default;  // the end
  explicit SourceIterator(Buffer& buffer) : buffer_(&buffer) { buffer.fill(); }

  char operator*() const { return static_cast<char>(buffer_->bytes[buffer_->place]); }
  SourceIterator& operator++() {
    if (++buffer_->place == buffer_->size) buffer_->fill();
    return *this;
  }
  SourceIterator operator++(int) {
    const SourceIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const SourceIterator& other) const { return at_end() == other.at_end(); }
  bool operator!=(const SourceIterator& other) const { return !(*this == other); }

 private:
  bool at_end() const { return buffer_ == nullptr || buffer_->ended; }
  Buffer* buffer_ = nullptr;
};

// The events of the parser; the names and signatures are those of nlohmann's SAX interface.
class Handler : public json::json_sax_t {
 public:
  explicit Handler(const std::function<void(const std::vector<RecordField>&)>& on_record) : on_record_(on_record) {}

  bool null() override { return scalar(arrays_in_record_ > 0 ? "null" : ""); }
  bool boolean(bool value) override { return scalar(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return scalar(fmt::format_int(value).c_str()); }
  bool number_unsigned(number_unsigned_t value) override { return scalar(fmt::format_int(value).c_str()); }
  bool number_float(number_float_t, const string_t& text) override { return scalar(text); }
  bool string(string_t& text) override { return scalar(arrays_in_record_ > 0 ? json(text).dump() : text); }
  bool binary(binary_t&) override { return false; }

  bool start_object(std::size_t) override {
    if (arrays_in_record_ > 0) return array_text("{");
    if (in_record()) {
      prefixes_.push_back(prefix_.size());
      prefix_ += key_ + ".";
    } else if (list_depth_ > 0 && depth_ == list_depth_) {
      if (list_ended_) throw unreadable("there is more than one list");
      found_list_ = true;
      record_depth_ = depth_ + 1;
      count_ = 0;
    }
    ++depth_;
    return true;
  }
  bool key(string_t& name) override {
    if (arrays_in_record_ > 0) return array_text(json(name).dump() + ":");
    key_ = name;
    return true;
  }
  bool end_object() override {
    if (arrays_in_record_ > 0) return close_in_array("}");
    --depth_;
    if (!prefixes_.empty()) {
      prefix_.resize(prefixes_.back());
      prefixes_.pop_back();
    } else if (in_record() && depth_ + 1 == record_depth_) {
      record_depth_ = 0;
      fields_.resize(count_);
      on_record_(fields_);
    }
    return true;
  }
  bool start_array(std::size_t) override {
    if (in_record()) {
      if (arrays_in_record_++ == 0) array_.clear();
      return array_text("[");
    }
    ++depth_;
    if (list_depth_ == 0) list_depth_ = depth_;
    return true;
  }
  bool end_array() override {
    if (arrays_in_record_ > 0) {
      close_in_array("]");
      if (--arrays_in_record_ > 0) return true;
      return add(array_);
    }
    if (depth_ == list_depth_) {
      list_ended_ = list_ended_ || found_list_;
      list_depth_ = 0;
    }
    --depth_;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    throw unreadable(fmt::format("they are not JSON (byte {})", position));
  }

 private:
  bool in_record() const { return record_depth_ > 0; }

  bool scalar(std::string_view text) {
    if (arrays_in_record_ > 0) return array_text(text);
    return in_record() ? add(text) : true;
  }
  // Strings of earlier records are written over, which keeps their memory.
  bool add(std::string_view text) {
    if (count_ == fields_.size()) fields_.emplace_back();
    RecordField& field = fields_[count_++];
    field.name.assign(prefix_).append(key_);
    field.text.assign(text);
    return true;
  }
  bool array_text(std::string_view text) {
    const char last = array_.empty() ? '[' : array_.back();
    if (last != '[' && last != '{' && last != ':') array_ += ',';
    array_ += text;
    return true;
  }
  bool close_in_array(std::string_view text) {
    array_ += text;
    return true;
  }

  const std::function<void(const std::vector<RecordField>&)>& on_record_;
  std::size_t depth_ = 0;
  std::size_t list_depth_ = 0;    // of the array we are in, 0 outside of any
  std::size_t record_depth_ = 0;  // of the record we are in, 0 outside
  bool found_list_ = false;
  bool list_ended_ = false;
  std::string key_;
  std::string prefix_;
  std::vector<std::size_t> prefixes_;  // lengths of prefix_ outside of each inner object
  std::size_t arrays_in_record_ = 0;
  std::string array_;
  std::vector<RecordField> fields_;
  std::size_t count_ = 0;
};

}  // namespace

void read_records(ByteSource& document, const std::function<void(const std::vector<RecordField>& fields)>& on_record) {
  SourceIterator::Buffer buffer{document};
  Handler handler(on_record);
  json::sax_parse(SourceIterator(buffer), SourceIterator(), &handler);
}

}  // namespace tektii::cli
