#include "call_text.hpp"

#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tektii::cli {
namespace {

constexpr std::size_t k_gap = 3;
constexpr std::string_view k_rule = "--------------------\n";

// As many lines around the marked ones as docker shows: four in all for one line, two more for several.
dockerfile::LineRange excerpt_of(const dockerfile::LineRange& marked, int count) {
  dockerfile::LineRange shown = marked;
  const int pad = marked.first == marked.last ? 4 : 2;
  for (int added = 0; added < pad; ++added) {
    if (shown.first > 1) {
      --shown.first;
      ++added;
    }
    if (shown.last < count) {
      ++shown.last;
      ++added;
    }
  }
  return shown;
}

std::string excerpt(const dockerfile::Dockerfile& file, dockerfile::LineRange marked) {
  const int count = static_cast<int>(file.lines.size());
  marked.last = std::min(std::max(marked.first, marked.last), count);
  if (marked.first < 1 || marked.first > count) return {};
  const dockerfile::LineRange shown = excerpt_of(marked, count);
  std::string text = fmt::format("{}:{}\n{}", escape_control(file.name), marked.first, k_rule);
  for (int number = shown.first; number <= shown.last; ++number) {
    const bool is_marked = number >= marked.first && number <= marked.last;
    text += fmt::format(" {:>3} | {} {}\n", number, is_marked ? ">>>" : "   ",
                        escape_control(file.lines[static_cast<std::size_t>(number) - 1]));
  }
  text += k_rule;
  return text;
}

// Columns as wide as their widest cell; the last one is left as it is.
std::string columns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(escape_control(row[i])));
    }
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string cell = escape_control(row[i]);
      line += cell;
      if (i + 1 < row.size()) line += std::string(widths[i] + k_gap - display_width(cell), ' ');
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string mounts_text(const std::string& title, const std::vector<dockerfile::OutlineMount>& mounts) {
  if (mounts.empty()) return {};
  std::vector<std::vector<std::string>> rows = {{title, "REQUIRED"}};
  for (const auto& mount : mounts) rows.push_back({mount.name, mount.required ? "true" : ""});
  return columns(rows) + "\n";
}

}  // namespace

std::string check_text(const builder::DockerfileCheck& check) {
  const auto& warnings = check.report.warnings;
  if (warnings.empty()) return check.report.problem ? "" : "Check complete, no warnings found.\n";
  std::string text = warnings.size() == 1
                         ? std::string("Check complete, 1 warning has been found!\n")
                         : fmt::format("Check complete, {} warnings have been found!\n", warnings.size());
  for (const auto& warning : warnings) {
    const auto& rule = dockerfile::info_of(warning.rule);
    text += fmt::format("\nWARNING: {} - {}\n{}\nhint: {}\n{}", rule.name, rule.description,
                        escape_control(warning.message), rule.help, excerpt(check.file, warning.lines));
  }
  return text;
}

std::vector<std::string> check_remarks(const builder::DockerfileCheck& check) {
  std::vector<std::string> remarks;
  for (const std::string& base : check.unreachable) {
    remarks.push_back(fmt::format("checks that need the base image are left out: {}", escape_control(base)));
  }
  for (const auto& note : check.report.notes) {
    remarks.push_back(note.span.first_line > 0 ? fmt::format("{}:{}: {}", escape_control(check.file.name),
                                                             note.span.first_line, escape_control(note.message))
                                               : escape_control(note.message));
  }
  return remarks;
}

std::string outline_text(const dockerfile::Outline& outline) {
  std::string text;
  if (!outline.name.empty()) {
    std::vector<std::vector<std::string>> rows = {{"TARGET:", outline.name}};
    if (!outline.description.empty()) rows.push_back({"DESCRIPTION:", outline.description});
    text += columns(rows) + "\n";
  }
  if (!outline.args.empty()) {
    std::vector<std::vector<std::string>> rows = {{"BUILD ARG", "VALUE", "DESCRIPTION"}};
    for (const auto& arg : outline.args) rows.push_back({arg.name, arg.value, arg.description});
    text += columns(rows) + "\n";
  }
  text += mounts_text("SECRET", outline.secrets) + mounts_text("SSH", outline.ssh);
  if (!outline.caches.empty()) {
    std::vector<std::vector<std::string>> rows = {{"CACHE"}};
    for (const auto& cache : outline.caches) rows.push_back({cache.name});
    text += columns(rows) + "\n";
  }
  return text;
}

std::string targets_text(const std::vector<dockerfile::OutlineTarget>& targets) {
  std::vector<std::vector<std::string>> rows = {{"TARGET", "DESCRIPTION"}};
  for (const auto& target : targets) {
    std::string name = target.name;
    if (target.is_default) name += name.empty() ? "(default)" : " (default)";
    rows.push_back({name, target.description});
  }
  return columns(rows);
}

std::string warnings_summary(const std::vector<dockerfile::LintWarning>& warnings) {
  if (warnings.empty()) return {};
  std::string text =
      fmt::format("\n {} warning{} found (use --check to expand):", warnings.size(), warnings.size() == 1 ? "" : "s");
  for (const auto& warning : warnings) {
    text += fmt::format("\n - {}: {} (line {})", dockerfile::info_of(warning.rule).name,
                        escape_control(warning.message), warning.lines.first);
  }
  return text;
}

}  // namespace tektii::cli
