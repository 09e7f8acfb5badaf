#include "dockerfile/flags.hpp"

#include "dockerfile/statement.hpp"
#include "fuzz/require.hpp"
#include "fuzz/targets.hpp"
#include <tektii/dockerfile/history.hpp>
#include <tektii/dockerfile/mount.hpp>
#include <tektii/dockerfile/values.hpp>

namespace tektii::fuzz {
namespace {

void check_statement(std::string_view text, char escape) {
  const std::string line = "X " + std::string(text);
  dockerfile::Dockerfile file;
  file.name = "Dockerfile";
  file.lines = {line};
  dockerfile::Statement statement;
  statement.source = &file;
  statement.escape = escape;
  statement.text = line;
  statement.lines = {1, 1};
  dockerfile::split_statement(statement);
  require(statement.keyword == "X", "the keyword ends at a blank");
  std::optional<bool> boolean;
  std::optional<std::string> single;
  std::optional<std::string> kept;
  std::vector<std::string> many;
  is_refused([&] {
    dockerfile::FlagParser(statement)
        .boolean("link", boolean)
        .text("chown", single)
        .text("network", kept, true)
        .list("mount", many)
        .parse();
    require(!single || !single->empty(), "an empty value counts as not given");
    require(many.size() + (boolean ? 1 : 0) + (single ? 1 : 0) + (kept ? 1 : 0) <= statement.flags.size(),
            "every value was written");
  });
}

void check_mount(std::string_view text) {
  const dockerfile::Lookup lookup = [](std::string_view) { return std::optional<std::string>("1"); };
  is_refused([&] {
    const dockerfile::MountFlag mount = dockerfile::parse_mount(text);
    is_refused([&] {
      const dockerfile::MountFlag expanded = dockerfile::expand_mount(mount, lookup);
      require(expanded.options.size() == mount.options.size(), "expansion drops no option");
    });
  });
}

void check_chmod(std::string_view text) {
  is_refused([&] {
    const dockerfile::ModeChange change = dockerfile::parse_chmod(text);
    for (const unsigned mode : {0U, 0644U, 0755U, 07777U}) {
      require(change.apply(mode, true) <= 07777U && change.apply(mode, false) <= 07777U, "a mode has twelve bits");
    }
  });
}

void check_duration(std::string_view text) {
  is_refused([&] {
    const auto nanoseconds = dockerfile::parse_go_duration(text);
    require(dockerfile::parse_go_duration(dockerfile::format_go_duration(nanoseconds)) == nanoseconds,
            "a duration survives being written");
  });
}

}  // namespace

void check_flags(std::string_view input) {
  if (input.empty()) return;
  const std::string_view text = input.substr(1);
  switch (input.front()) {
    case 'm':
      return check_mount(text);
    case 'c':
      return check_chmod(text);
    case 'd':
      return check_duration(text);
    case 'p':
      is_refused([&] { require(!dockerfile::parse_ports(text).empty(), "a range has a port"); });
      return;
    case 's':
      is_refused([&] {
        const int number = dockerfile::parse_signal(text);
        require(number >= 1 && number <= 64, "a signal has a number");
      });
      return;
    case 'r':
      dockerfile::parse_ram_size(text);
      return;
    default:
      check_statement(text, input.front() == '`' ? '`' : '\\');
  }
}

}  // namespace tektii::fuzz
