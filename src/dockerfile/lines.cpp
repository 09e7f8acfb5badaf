#include "dockerfile/lines.hpp"

#include "dockerfile/directive.hpp"
#include "dockerfile/text.hpp"
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace tektii::dockerfile {
namespace {

// The scanner of the reference implementation holds lines up to this length (bufio.MaxScanTokenSize - 1).
constexpr std::size_t k_max_line = 65535;

std::string_view without_line_end(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

bool is_comment(std::string_view line) {
  return trim_left(line).starts_with('#');
}

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1);
    lines.push_back(text.substr(0, end + 1));
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace

LineReader::LineReader(std::string_view text, Report report) : report_(std::move(report)) {
  if (text.starts_with(k_byte_order_mark)) text.remove_prefix(k_byte_order_mark.size());
  lines_ = split_lines(text);
}

std::vector<std::string> LineReader::visible_lines() const {
  std::vector<std::string> lines;
  lines.reserve(lines_.size());
  for (const std::string_view line : lines_) lines.emplace_back(without_line_end(line));
  return lines;
}

std::string_view LineReader::take_line() {
  std::string_view line = lines_[position_++];
  const std::size_t length = line.size() - (line.ends_with('\n') ? 1 : 0);
  if (length > k_max_line) {
    report_(fmt::format("dockerfile line greater than max allowed size of {}", k_max_line), line_number(), {});
  }
  return line;
}

// Directives stand before anything else, also before other comments. A shebang line may precede those that tools look
// for (BuildKit's DetectSyntax), but not `escape`.
void LineReader::take_directive(std::string_view line) {
  if (directives_done_) return;
  if (position_ == 1 && line.starts_with("#!")) {
    after_shebang_ = true;
    return;
  }
  const std::optional<DirectiveLine> directive = parse_directive(line);
  directives_done_ = !directive;
  if (directives_done_) return;
  if (std::find(seen_directives_.begin(), seen_directives_.end(), directive->key) != seen_directives_.end()) {
    report_(fmt::format("only one {} parser directive can be used", directive->key), line_number(), directive->key);
    return;
  }
  seen_directives_.push_back(directive->key);
  if (directive->key == "syntax") {
    directives_.syntax = directive->value;
  } else if (directive->key == "check") {
    directives_.check = directive->value;
  } else if (directive->value != "\\" && directive->value != "`") {
    report_(fmt::format("invalid escape token '{}' does not match ` or \\", directive->value), line_number(),
            directive->value);
  } else if (!after_shebang_) {
    directives_.escape = directive->value.front();
  }
}

// ([^\\])\\[ \t]*$|^\\[ \t]*$: the escape character, then blanks at most; a doubled one continues nothing.
bool LineReader::strip_continuation(std::string_view& line) const {
  std::string_view head = line;
  while (!head.empty() && (head.back() == ' ' || head.back() == '\t')) head.remove_suffix(1);
  if (!head.ends_with(directives_.escape)) return false;
  head.remove_suffix(1);
  if (head.ends_with(directives_.escape)) return false;
  line = head;
  return true;
}

bool LineReader::next(LogicalLine& line) {
  line = {};
  while (position_ < lines_.size()) {
    const std::string_view first = trim_left(without_line_end(take_line()));
    const bool was_done = directives_done_;
    take_directive(first);
    if (is_comment(first)) {
      const std::string_view comment = trim_both(first.substr(1));
      if (comment.empty()) line.comments.clear();
      const bool is_directive = !was_done && !directives_done_ && !after_shebang_;
      if (!comment.empty() && !is_directive) line.comments.emplace_back(comment);
      continue;
    }
    line.lines.first = line_number();
    std::string_view piece = first;
    bool continues = strip_continuation(piece);
    line.text = piece;
    while (continues && position_ < lines_.size()) {
      piece = without_line_end(take_line());
      if (is_comment(piece)) continue;
      if (trim_left(piece).empty()) {
        line.empty_continuations.push_back(line_number());
        continue;
      }
      continues = strip_continuation(piece);
      line.text += piece;
    }
    line.lines.last = line_number();
    if (!trim_left(line.text).empty()) return true;
    if (line.lines.last > line.lines.first || piece.size() < first.size()) {
      report_("the line continues, but no instruction follows", line.lines.first, std::string(1, directives_.escape));
    }
  }
  return false;
}

bool LineReader::read_heredoc(Heredoc& heredoc) {
  heredoc.content.clear();
  heredoc.with_tabs.clear();
  while (position_ < lines_.size()) {
    const std::string_view written = take_line();
    std::string_view line = written;
    while (heredoc.strip_tabs && line.starts_with('\t')) line.remove_prefix(1);
    if (without_line_end(line) == heredoc.name) return true;
    heredoc.content += line;
    if (heredoc.strip_tabs) heredoc.with_tabs += written;
  }
  return false;
}

}  // namespace tektii::dockerfile
