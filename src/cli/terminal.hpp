#pragma once

#include <iosfwd>
#include <mutex>
#include <string>
#include <string_view>

namespace tektii::cli {

struct TerminalTraits {
  bool out_is_tty = false;
  bool err_is_tty = false;
  bool colour = false;           // on standard error
  std::size_t columns = 80;      // of standard error
  std::size_t out_columns = 80;  // of standard output
  bool utf8 = true;              // false: the locale of the terminal says that it shows ASCII alone
};

// What the process is connected to. Colour is for a terminal without NO_COLOR (no-color.org: set and not empty), and
// not for TERM=dumb. A terminal shows UTF-8 unless LC_ALL, LC_CTYPE or LANG, the first that is set, names something
// else; what is no terminal gets UTF-8.
TerminalTraits detect_terminal();

enum class Colour { red, green, yellow, cyan, bold };

// The two streams of a command: standard output takes results (a digest, a table, JSON) and nothing else, standard
// error takes everything for the eye. Text that came from elsewhere must have been escaped by the caller. Thread-safe.
class Terminal {
 public:
  // The streams outlive the terminal.
  Terminal(std::ostream& out, std::ostream& err, TerminalTraits traits) : out_(out), err_(err), traits_(traits) {}

  const TerminalTraits& traits() const { return traits_; }
  // With -q nothing but results and errors is printed.
  void set_quiet(bool quiet) { quiet_ = quiet; }
  bool quiet() const { return quiet_; }

  // A result. Throws Error when it can't be written (a full disk, a closed pipe).
  void result(std::string_view text);
  void line(std::string_view text);     // "text"
  void success(std::string_view text);  // "✓ text"
  void info(std::string_view text);     // "→ text"
  void warning(std::string_view text);  // "Warning: text"
  // Straight to standard error, also when quiet; no line end is added.
  void error_text(std::string_view text);

  // The text in a colour, or as it is where there is no colour.
  std::string paint(Colour colour, std::string_view text) const;

 private:
  void put(std::string_view text);

  std::mutex mutex_;
  std::ostream& out_;
  std::ostream& err_;
  TerminalTraits traits_;
  bool quiet_ = false;
};

}  // namespace tektii::cli
