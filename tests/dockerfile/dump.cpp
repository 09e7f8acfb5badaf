#include "dockerfile/dump.hpp"

#include <tektii/dockerfile/history.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tektii::dockerfile {
namespace {

std::string field(const char* name, const std::optional<std::string>& value) {
  return value ? fmt::format(" {}={}", name, go_quote(*value)) : std::string();
}

std::string field(const char* name, const std::optional<bool>& value) {
  return value ? fmt::format(" {}={}", name, *value) : std::string();
}

std::string list(const char* name, const std::vector<std::string>& words) {
  return words.empty() ? std::string() : fmt::format(" {}={}", name, go_quote_list(words));
}

std::string heredocs(const std::vector<Heredoc>& docs) {
  std::string text;
  for (const Heredoc& doc : docs) {
    text += fmt::format("\n    <<{}{}{} {}", doc.strip_tabs ? "-" : "", doc.name, doc.expand ? "" : " (verbatim)",
                        go_quote(doc.content));
  }
  return text;
}

std::string command(const CommandLine& line) {
  return fmt::format(" {} {}", line.exec_form ? "exec" : "shell", go_quote_list(line.words)) + heredocs(line.heredocs);
}

std::string pairs(const std::vector<KeyValue>& list) {
  std::string text;
  for (const KeyValue& pair : list) {
    text += fmt::format(" {}={}{}", go_quote(pair.key), go_quote(pair.value), pair.no_delimiter ? " (legacy)" : "");
  }
  return text;
}

struct Dumper {
  std::string operator()(const From& from) const {
    return " " + go_quote(from.image) + field("platform", from.platform) + field("alias", from.alias);
  }
  std::string operator()(const Arg& arg) const {
    std::string text;
    for (const Arg::Item& item : arg.items) {
      text += " " + go_quote(item.name) + (item.value ? "=" + go_quote(*item.value) : "");
    }
    return text;
  }
  std::string operator()(const Env& env) const { return pairs(env.pairs); }
  std::string operator()(const Label& label) const { return pairs(label.pairs); }
  std::string operator()(const Maintainer& maintainer) const { return " " + go_quote(maintainer.name); }
  std::string operator()(const Workdir& workdir) const { return " " + go_quote(workdir.path); }
  std::string operator()(const User& user) const { return " " + go_quote(user.user); }
  std::string operator()(const Expose& expose) const { return list("ports", expose.ports); }
  std::string operator()(const Volume& volume) const { return list("paths", volume.paths); }
  std::string operator()(const StopSignal& signal) const { return " " + go_quote(signal.signal); }
  std::string operator()(const Shell& shell) const { return list("words", shell.words); }
  std::string operator()(const Cmd& cmd) const { return command(cmd.command); }
  std::string operator()(const Entrypoint& entrypoint) const { return command(entrypoint.command); }
  std::string operator()(const HealthcheckInstruction& check) const {
    if (check.none) return " none";
    return fmt::format(" interval={} timeout={} start-period={} start-interval={} retries={}",
                       format_go_duration(check.interval_ns), format_go_duration(check.timeout_ns),
                       format_go_duration(check.start_period_ns), format_go_duration(check.start_interval_ns),
                       check.retries) +
           command(check.command);
  }
  std::string operator()(const Run& run) const {
    std::string text = field("network", run.network) + field("security", run.security);
    for (const MountFlag& mount : run.mounts) {
      text += " mount=" + mount.type + "(";
      for (const auto& option : mount.options) text += fmt::format(" {}={}", option.first, go_quote(option.second));
      text += " )";
    }
    return text + command(run.command);
  }
  std::string operator()(const Copy& copy) const {
    return list("sources", copy.sources) + fmt::format(" destination={}", go_quote(copy.destination)) +
           field("from", copy.from) + field("chown", copy.chown) + field("chmod", copy.chmod) +
           field("link", copy.link) + field("parents", copy.parents) + list("exclude", copy.exclude) +
           field("checksum", copy.checksum) + field("keep-git-dir", copy.keep_git_dir) + field("unpack", copy.unpack) +
           heredocs(copy.heredocs);
  }
  std::string operator()(const Onbuild& onbuild) const { return " " + go_quote(onbuild.text); }
};

std::string dump(const Instruction& instruction) {
  std::string text = fmt::format("{}-{} {}\n", instruction.lines.first, instruction.lines.last, dump_body(instruction));
  text += fmt::format("    original {}\n", go_quote(instruction.original));
  if (!instruction.comments.empty()) text += fmt::format("    comments {}\n", go_quote_list(instruction.comments));
  for (const int line : instruction.empty_continuations) text += fmt::format("    empty continuation {}\n", line);
  return text;
}

}  // namespace

std::string dump_body(const Instruction& instruction) {
  return instruction.keyword + std::visit(Dumper(), instruction.body);
}

std::string dump(const Dockerfile& file) {
  std::string text = fmt::format("escape {}", file.directives.escape) + field("syntax", file.directives.syntax) +
                     field("check", file.directives.check) + "\n";
  for (const Instruction& arg : file.global_args) text += "global " + dump(arg);
  for (const Stage& stage : file.stages) {
    text += "stage " + go_quote(stage.name) + "\n" + dump(stage.from);
    for (const Instruction& instruction : stage.instructions) text += dump(instruction);
  }
  return text;
}

std::string dump(const Error& error) {
  std::string text;
  if (const auto& span = error.span()) {
    text = fmt::format("{}:{}:{}+{}: ", span->file, span->first_line, span->column, span->length);
  }
  text += error.message() + "\n";
  if (const auto& span = error.span(); span && span->first_line > 0) {
    constexpr std::size_t k_shown = 100;
    text += fmt::format("  | {}\n", span->text.substr(0, k_shown));
    if (span->column > 0) {
      const auto column = static_cast<std::size_t>(span->column);
      text += fmt::format("  | {}{}\n", std::string(column - 1, ' '),
                          std::string(static_cast<std::size_t>(std::max(span->length, 1)), '^'));
    }
  }
  for (const std::string& hint : error.hints()) text += hint + "\n";
  return text;
}

}  // namespace tektii::dockerfile
