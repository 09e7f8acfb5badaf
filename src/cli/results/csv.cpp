#include "cli/results/csv.hpp"

#include "cli/results/record_reader.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tektii::cli {

namespace {

using nlohmann::ordered_json;

constexpr std::size_t k_flush_size = 64U << 10;
constexpr std::size_t k_object_limit = 64U << 20;

// Lines of cells, written in large pieces.
class CsvWriter {
 public:
  explicit CsvWriter(ByteSink& out) : out_(out) {}

  void cell(std::string_view text) {
    if (in_line_) buffer_ += ',';
    in_line_ = true;
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
      buffer_ += text;
      return;
    }
    buffer_ += '"';
    for (const char c : text) {
      if (c == '"') buffer_ += '"';
      buffer_ += c;
    }
    buffer_ += '"';
  }
  void end_line() {
    buffer_ += '\n';
    in_line_ = false;
    if (buffer_.size() >= k_flush_size) flush();
  }
  void flush() {
    out_.write(as_byte_span(buffer_));
    buffer_.clear();
  }

 private:
  ByteSink& out_;
  std::string buffer_;
  bool in_line_ = false;
};

class RecordWriter {
 public:
  explicit RecordWriter(ByteSink& out) : csv_(out) {}

  void write(const std::vector<RecordField>& fields) {
    if (++records_ == 1) write_header(fields);
    // The usual record has the same fields in the same order.
    std::size_t used = 0;
    for (std::size_t column = 0; column < columns_.size(); ++column) {
      const RecordField* field = find(fields, column);
      if (field != nullptr) ++used;
      csv_.cell(field == nullptr ? std::string_view() : field->text);
    }
    if (used != fields.size()) refuse(fields);
    csv_.end_line();
  }
  void end() { csv_.flush(); }

 private:
  void write_header(const std::vector<RecordField>& fields) {
    for (const RecordField& field : fields) {
      if (std::find(columns_.begin(), columns_.end(), field.name) != columns_.end()) throw named_twice();
      columns_.push_back(field.name);
      csv_.cell(field.name);
    }
    csv_.end_line();
  }
  const RecordField* find(const std::vector<RecordField>& fields, std::size_t column) const {
    if (column < fields.size() && fields[column].name == columns_[column]) return &fields[column];
    for (const RecordField& field : fields) {
      if (field.name == columns_[column]) return &field;
    }
    return nullptr;
  }
  [[noreturn]] void refuse(const std::vector<RecordField>& fields) const {
    for (const RecordField& field : fields) {
      if (std::find(columns_.begin(), columns_.end(), field.name) != columns_.end()) continue;
      throw Error(ErrorKind::failure, fmt::format("record {} of the results has a field {} that the first one lacks",
                                                  records_, escape_control(field.name)))
          .add_hint("a table has no column for it: use --format json");
    }
    throw named_twice();
  }
  Error named_twice() const {
    return Error(ErrorKind::network, fmt::format("record {} of the results names a field twice", records_))
        .add_hint("--format json gives the results as the platform sends them");
  }

  CsvWriter csv_;
  std::vector<std::string> columns_;
  std::uint64_t records_ = 0;
};

void write_flat(CsvWriter& csv, const std::string& prefix, const ordered_json& object) {
  for (const auto& entry : object.items()) {
    if (entry.value().is_object()) {
      write_flat(csv, prefix + entry.key() + ".", entry.value());
      continue;
    }
    csv.cell(prefix + entry.key());
    if (entry.value().is_null()) {
      csv.cell("");
    } else {
      csv.cell(entry.value().is_string() ? entry.value().get<std::string>()
                                         : entry.value().dump(-1, ' ', false, ordered_json::error_handler_t::replace));
    }
    csv.end_line();
  }
}

}  // namespace

void write_records_csv(ByteSource& document, ByteSink& out) {
  RecordWriter writer(out);
  read_records(document, [&](const std::vector<RecordField>& fields) { writer.write(fields); });
  writer.end();
}

void write_object_csv(ByteSource& document, ByteSink& out) {
  const std::string text = read_all(document, k_object_limit);
  ordered_json parsed = ordered_json::parse(text, nullptr, false);
  if (!parsed.is_object()) throw Error(ErrorKind::network, "the results can't be read: they are not a JSON object");
  // What stands beside "data" belongs to the answer as well.
  if (const auto data = parsed.find("data"); data != parsed.end() && data->is_object()) {
    ordered_json inner = std::move(*data);
    parsed.erase("data");
    for (auto& entry : inner.items()) parsed[entry.key()] = std::move(entry.value());
  }
  CsvWriter csv(out);
  csv.cell("field");
  csv.cell("value");
  csv.end_line();
  write_flat(csv, "", parsed);
  csv.flush();
}

}  // namespace tektii::cli
