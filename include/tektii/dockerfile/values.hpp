#pragma once

#include <tektii/dockerfile/instruction.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What the words of instructions mean once they are expanded. All throw Error{usage} and leave the span to the caller.
namespace tektii::dockerfile {

// A --chmod value: an octal mode that replaces the old one, or the symbolic changes of chmod(1).
class ModeChange {
 public:
  // The new permission bits (07777) of a file that has `mode`.
  unsigned apply(unsigned mode, bool is_directory) const;

  // The mode when it was given in octal, which does not depend on the file.
  std::optional<unsigned> absolute() const { return absolute_; }

 private:
  friend ModeChange parse_chmod(std::string_view text);

  struct Clause {
    unsigned who = 0;  // the bits of the classes it speaks of, with their set-id and sticky bits
    char operation = '+';
    unsigned permissions = 0;     // for all classes; masked by `who`
    bool execute_if_any = false;  // X
    char copied_class = 0;        // u, g or o when the permissions come from another class
  };
  // False when the clause is malformed.
  static bool parse_clause(std::string_view clause, std::vector<Clause>& clauses);

  std::optional<unsigned> absolute_;
  std::vector<Clause> clauses_;
};

// Octal 0..07777, or symbolic like "u=rwX,go=rX" (no class means all of them; there is no umask).
ModeChange parse_chmod(std::string_view text);

// One word of EXPOSE as "port/protocol" entries: "80", "80/UDP", "8000-8003/tcp". An address and host port in front
// ("127.0.0.1:80:8080") are checked and dropped, as BuildKit does.
std::vector<std::string> parse_ports(std::string_view spec);

// The number of a signal given as name (with or without SIG, in any case; RTMIN+n, RTMAX-n) or as a number.
int parse_signal(std::string_view text);

// A duration in Go's syntax ("1h30m", "1.5s", "300ms", "0") in nanoseconds.
std::int64_t parse_go_duration(std::string_view text);

// A size in bytes as `size=` of a tmpfs mount takes it: "64m", "1.5GB", "1024" (powers of 1024).
std::optional<std::uint64_t> parse_ram_size(std::string_view text);

// What RUN hands to its shell. A single heredoc and nothing else is the script itself; when it starts with "#!" it is
// to be put at /dev/pipes/<name>, mode 0755, and `command` calls it. Other heredocs go to the shell behind the line
// that opens them, for the shell to read.
struct ShellScript {
  std::string command;
  std::optional<Heredoc> file;
};
ShellScript shell_script(const CommandLine& command);

}  // namespace tektii::dockerfile
