#include "sandbox/http.hpp"

#include <tektii/util/text.hpp>

#include <algorithm>

namespace tektii::sandbox {
namespace {

// Keeps the first `limit` bytes and counts the rest.
class LimitedSink : public ByteSink {
 public:
  explicit LimitedSink(std::size_t limit) : limit_(limit) {}

  void write(ByteSpan data) override {
    const std::size_t room = limit_ - text_.size();
    const std::size_t taken = std::min(room, data.size());
    text_.append(reinterpret_cast<const char*>(data.data()), taken);
    overflow_ = overflow_ || taken < data.size();
  }
  bool overflow() const { return overflow_; }
  std::string take() { return std::move(text_); }

 private:
  std::size_t limit_;
  std::string text_;
  bool overflow_ = false;
};

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

enum class Plus { is_itself, is_space };

std::string percent_decode(std::string_view text, Plus plus) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == Plus::is_space) {
      result += ' ';
    } else if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      result += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string decode_form_text(std::string_view text) {
  return percent_decode(text, Plus::is_space);
}

}  // namespace

std::string_view HttpRequest::header(std::string_view name) const {
  const auto found = headers.find(std::string(name));
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::optional<std::string> HttpRequest::param(const std::string& name) const {
  const auto found = query.find(name);
  if (found == query.end()) return std::nullopt;
  return found->second;
}

HttpReply& HttpReply::add_header(std::string name, std::string value) {
  headers.emplace_back(std::move(name), std::move(value));
  return *this;
}

BodyText read_body(HttpRequest& request, std::size_t limit) {
  if (!request.body) return {};
  LimitedSink sink(limit);
  const bool complete = request.body(sink);
  BodyText result;
  if (!complete) {
    result.status = BodyStatus::broken_off;
  } else if (sink.overflow()) {
    result.status = BodyStatus::too_long;
  }
  result.text = sink.take();
  return result;
}

std::vector<std::string> path_segments(std::string_view path) {
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  if (path.empty()) return {};
  std::vector<std::string> segments = split(path, '/');
  for (std::string& segment : segments) segment = percent_decode(segment, Plus::is_itself);
  return segments;
}

std::multimap<std::string, std::string> parse_query(std::string_view text) {
  std::multimap<std::string, std::string> result;
  for (const std::string& pair : split(text, '&')) {
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const std::string value =
        equals == std::string::npos ? "" : decode_form_text(std::string_view(pair).substr(equals + 1));
    result.emplace(decode_form_text(std::string_view(pair).substr(0, equals)), value);
  }
  return result;
}

RangeRequest parse_range(std::string_view header, std::uint64_t total_size) {
  constexpr std::string_view k_unit = "bytes=";
  if (!header.starts_with(k_unit) || header.find(',') != std::string_view::npos) return {};
  header.remove_prefix(k_unit.size());
  const std::size_t dash = header.find('-');
  if (dash == std::string_view::npos) return {};
  const std::string_view first_text = trim(header.substr(0, dash));
  const std::string_view last_text = trim(header.substr(dash + 1));
  const auto first = parse_int(first_text);
  const auto last = parse_int(last_text);
  if ((!first_text.empty() && (!first || *first < 0)) || (!last_text.empty() && (!last || *last < 0))) return {};
  if (!first && !last) return {};

  if (!first) {  // the last n bytes
    const std::uint64_t size = std::min(static_cast<std::uint64_t>(*last), total_size);
    if (size == 0) return {RangeKind::unsatisfiable, {}};
    return {RangeKind::part, {total_size - size, size}};
  }
  const auto begin = static_cast<std::uint64_t>(*first);
  if (last && *last < *first) return {};
  if (begin >= total_size) return {RangeKind::unsatisfiable, {}};
  const std::uint64_t end = last ? std::min(static_cast<std::uint64_t>(*last), total_size - 1) : total_size - 1;
  return {RangeKind::part, {begin, end - begin + 1}};
}

}  // namespace tektii::sandbox
