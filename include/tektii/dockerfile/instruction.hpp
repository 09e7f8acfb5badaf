#pragma once

#include <tektii/util/error.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tektii::dockerfile {

// Lines of the Dockerfile that an instruction spans, 1-based, inclusive.
struct LineRange {
  int first = 0;
  int last = 0;
};

struct Heredoc {
  std::string name;     // the word after <<
  std::string content;  // tabs already stripped for <<-; line ends as in the file
  bool expand = true;   // false when any part of the word was quoted
  bool strip_tabs = false;
  std::string with_tabs = {};  // of <<-: the content before they were stripped

  // As it stands in the file: what a shell is given that reads the heredoc itself.
  const std::string& as_written() const { return strip_tabs ? with_tabs : content; }
};

// A command in shell form (one string) or exec form (a JSON array).
struct CommandLine {
  bool exec_form = false;
  std::vector<std::string>
      words;  // exec form: argv; shell form: one element, the text as written (continuations joined)
  std::vector<Heredoc> heredocs;
};

struct KeyValue {
  std::string key;
  std::string value;          // unexpanded
  bool no_delimiter = false;  // the legacy "ENV key value" form
};

// Typed instructions. All words are as written: expansion happens in the plan, where the values are known, with the
// word expander of expand.hpp. Flags of any BuildKit-stable kind parse into these; what the builder can't carry out it
// refuses by name.
struct From {
  std::string image;
  std::optional<std::string> platform;
  std::optional<std::string> alias;  // as written; compare without case
};
struct Arg {
  struct Item {
    std::string name;
    std::optional<std::string> value;
  };
  std::vector<Item> items;
};
struct Env {
  std::vector<KeyValue> pairs;
};
struct Label {
  std::vector<KeyValue> pairs;
};
struct Maintainer {
  std::string name;
};
struct Workdir {
  std::string path;
};
struct User {
  std::string user;
};
struct Expose {
  std::vector<std::string> ports;
};
struct Volume {
  std::vector<std::string> paths;
};
struct StopSignal {
  std::string signal;
};
struct Shell {
  std::vector<std::string> words;
};
struct Cmd {
  CommandLine command;
};
struct Entrypoint {
  CommandLine command;
};
struct HealthcheckInstruction {
  bool none = false;
  std::int64_t interval_ns = 0, timeout_ns = 0, start_period_ns = 0, start_interval_ns = 0;
  int retries = 0;
  CommandLine command;
};
struct MountFlag {
  std::string type = "bind";
  std::vector<std::pair<std::string, std::string>> options;  // lower-case key, value as written ("" for a bare key)
};
struct Run {
  CommandLine command;
  std::vector<MountFlag> mounts;
  std::optional<std::string> network;   // default|none|host
  std::optional<std::string> security;  // sandbox|insecure
};
// COPY and ADD.
struct Copy {
  bool is_add = false;
  std::vector<std::string> sources;  // without heredocs
  std::vector<Heredoc> heredocs;     // each a source file
  std::string destination;
  std::optional<std::string> from;
  std::optional<std::string> chown;
  std::optional<std::string> chmod;
  std::optional<bool> link;
  std::optional<bool> parents;
  std::vector<std::string> exclude;
  std::optional<std::string> checksum;  // ADD only, and the next two
  std::optional<bool> keep_git_dir;
  std::optional<bool> unpack;
};
struct Instruction;
struct Onbuild {
  std::string text;  // the trigger as written
};

using InstructionBody = std::variant<From, Arg, Env, Label, Maintainer, Workdir, User, Expose, Volume, StopSignal,
                                     Shell, Cmd, Entrypoint, HealthcheckInstruction, Run, Copy, Onbuild>;

struct Instruction {
  InstructionBody body;
  std::string keyword;   // upper case: "COPY"
  std::string original;  // the logical line, continuations joined, keyword as written
  LineRange lines;
  std::vector<std::string> comments;     // comment lines right above, without '#'
  std::vector<int> empty_continuations;  // empty lines between its continuations, which only lint minds
};

// The 18 keywords in upper case.
std::vector<std::string> instruction_keywords();

// A stage: FROM and what follows it.
struct Stage {
  Instruction from;  // body is a From
  std::string name;  // lower case; empty when unnamed
  std::vector<Instruction> instructions;
  const From& from_body() const { return std::get<From>(from.body); }
};

struct Directives {
  std::optional<std::string> syntax;
  std::optional<std::string> check;
  char escape = '\\';
};

struct Dockerfile {
  std::string name;                // for messages
  std::vector<std::string> lines;  // the text, for carets
  Directives directives;
  std::vector<Instruction> global_args;  // ARG before the first FROM
  std::vector<Stage> stages;

  // A span over an instruction, or over `word` inside it when it is found there (for a caret under it).
  SourceSpan span(const LineRange& lines, std::string_view word = {}) const;
  // A span over an instruction with the caret under its keyword, for a fault that no single word has.
  SourceSpan span(const Instruction& instruction) const;
};

// Text to typed instructions. Throws Error{usage} with a span; every further problem in the file is added as a hint of
// the form "also: Dockerfile:7: ...", so that one run reports them all.
Dockerfile parse_dockerfile(std::string_view text, const std::string& name);

// Parses the trigger of an ONBUILD of a base image (FROM, ONBUILD and MAINTAINER are refused).
Instruction parse_trigger(std::string_view text, const std::string& origin);

}  // namespace tektii::dockerfile
