#include "dockerfile/text.hpp"
#include <tektii/dockerfile/values.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

namespace tektii::dockerfile {
namespace {

constexpr unsigned k_all_modes = 07777;
constexpr unsigned k_max_octal_digits = 11;  // leading zeros are welcome, an overflow is not

std::optional<unsigned> parse_octal(std::string_view text) {
  if (text.empty() || text.size() > k_max_octal_digits) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '7') return std::nullopt;
    value = value * 8 + static_cast<unsigned>(c - '0');
    if (value > k_all_modes) return std::nullopt;
  }
  return value;
}

// The bits of one class, the set-id bit that goes with it included; chmod(1) gives the sticky bit to "o" and "a".
unsigned bits_of_class(char c) {
  switch (c) {
    case 'u':
      return 04700;
    case 'g':
      return 02070;
    case 'o':
      return 01007;
    case 'a':
      return k_all_modes;
    default:
      return 0;
  }
}

unsigned bits_of_permission(char c) {
  switch (c) {
    case 'r':
      return 0444;
    case 'w':
      return 0222;
    case 'x':
      return 0111;
    case 's':
      return 06000;
    case 't':
      return 01000;
    default:
      return 0;
  }
}

// The rwx bits of one class, spread over all three.
unsigned spread_class(unsigned mode, char c) {
  const unsigned shift = c == 'u' ? 6 : c == 'g' ? 3 : 0;
  return ((mode >> shift) & 07U) * 0111U;
}

bool is_operation(char c) {
  return c == '+' || c == '-' || c == '=';
}

}  // namespace

// [ugoa]* ( [+-=] ( [rwxXst]* | [ugo] ) )+
bool ModeChange::parse_clause(std::string_view clause, std::vector<Clause>& clauses) {
  unsigned who = 0;
  std::size_t i = 0;
  for (; i < clause.size() && bits_of_class(clause[i]) != 0; ++i) who |= bits_of_class(clause[i]);
  if (who == 0) who = k_all_modes;
  if (i == clause.size()) return false;
  while (i < clause.size()) {
    Clause change;
    change.who = who;
    change.operation = clause[i];
    if (!is_operation(clause[i])) return false;
    ++i;
    if (i < clause.size() && (clause[i] == 'u' || clause[i] == 'g' || clause[i] == 'o')) {
      change.copied_class = clause[i++];
    }
    for (; change.copied_class == 0 && i < clause.size() && !is_operation(clause[i]); ++i) {
      change.execute_if_any = change.execute_if_any || clause[i] == 'X';
      if (clause[i] != 'X' && bits_of_permission(clause[i]) == 0) return false;
      change.permissions |= bits_of_permission(clause[i]);
    }
    clauses.push_back(change);
  }
  return true;
}

ModeChange parse_chmod(std::string_view text) {
  ModeChange change;
  change.absolute_ = parse_octal(text);
  if (change.absolute_) return change;
  const std::string invalid = fmt::format(
      "invalid chmod parameter: '{}'. it should be octal between 0 and 07777, or symbolic like u=rwX,go=rX", text);
  if (text.empty() || is_digit(text.front())) throw Error(ErrorKind::usage, invalid);
  while (true) {
    const std::size_t comma = text.find(',');
    if (!ModeChange::parse_clause(text.substr(0, comma), change.clauses_)) throw Error(ErrorKind::usage, invalid);
    if (comma == std::string_view::npos) return change;
    text.remove_prefix(comma + 1);
  }
}

unsigned ModeChange::apply(unsigned mode, bool is_directory) const {
  if (absolute_) return *absolute_;
  mode &= k_all_modes;
  // As BuildKit's chmod, which is BSD's: X asks for the mode before any change, = keeps the sticky bit, and copying the
  // bits of another class touches no set-id bit.
  const bool executable = is_directory || (mode & 0111U) != 0;
  for (const Clause& clause : clauses_) {
    unsigned bits = clause.copied_class != 0 ? spread_class(mode, clause.copied_class) : clause.permissions;
    if (clause.execute_if_any && executable) bits |= 0111;
    bits &= clause.who;
    if (clause.operation == '+') {
      mode |= bits;
    } else if (clause.operation == '-') {
      mode &= ~bits;
    } else {
      const unsigned cleared = clause.copied_class != 0 ? 0777U : 06777U;
      mode = (mode & ~(clause.who & cleared)) | bits;
    }
  }
  return mode;
}

}  // namespace tektii::dockerfile
