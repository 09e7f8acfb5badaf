#pragma once

#include <tektii/dockerfile/instruction.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::dockerfile {

// An instruction as one line: continuations joined, comment lines and empty lines between them dropped.
struct LogicalLine {
  std::string text;
  LineRange lines;
  std::vector<std::string> comments;  // right above, without '#'
  std::vector<int> empty_continuations;
};

// Reads a Dockerfile line by line and joins what belongs together. Parser directives are taken from the head of the
// file on the way.
class LineReader {
 public:
  // `report` gets what is wrong with single lines (message, line, and the word at fault); reading goes on behind them.
  using Report = std::function<void(std::string message, int line, std::string word)>;

  LineReader(std::string_view text, Report report);

  // The next instruction; false at the end of the file.
  bool next(LogicalLine& line);
  // Reads the body of a heredoc that the line just returned opened, and sets its content; false when the file ends
  // before the terminator.
  bool read_heredoc(Heredoc& heredoc);

  const Directives& directives() const { return directives_; }
  int line_number() const { return static_cast<int>(position_); }  // of the line read last

  // The lines without their ends (LF or CR LF) and without the byte order mark.
  std::vector<std::string> visible_lines() const;

 private:
  std::string_view take_line();
  void take_directive(std::string_view line);
  bool strip_continuation(std::string_view& line) const;

  std::vector<std::string_view> lines_;  // with their ends
  std::size_t position_ = 0;
  Report report_;
  Directives directives_;
  std::vector<std::string> seen_directives_;
  bool directives_done_ = false;
  bool after_shebang_ = false;
};

}  // namespace tektii::dockerfile
