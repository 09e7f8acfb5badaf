#include "dockerfile/typed.hpp"

#include "dockerfile/flags.hpp"
#include "dockerfile/text.hpp"
#include <tektii/dockerfile/values.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tektii::dockerfile {
namespace {

struct Keyword {
  std::string_view name;
  InstructionBody (*parse)(const Statement&);
  bool may_open_heredocs = false;
};

constexpr std::array k_keywords = {
    Keyword{"ADD", parse_copy, true},
    Keyword{"ARG", parse_arg},
    Keyword{"CMD", parse_cmd},
    Keyword{"COPY", parse_copy, true},
    Keyword{"ENTRYPOINT", parse_entrypoint},
    Keyword{"ENV", parse_env},
    Keyword{"EXPOSE", parse_expose},
    Keyword{"FROM", parse_from},
    Keyword{"HEALTHCHECK", parse_healthcheck},
    Keyword{"LABEL", parse_label},
    Keyword{"MAINTAINER", parse_maintainer},
    Keyword{"ONBUILD", parse_onbuild},
    Keyword{"RUN", parse_run, true},
    Keyword{"SHELL", parse_shell},
    Keyword{"STOPSIGNAL", parse_stopsignal},
    Keyword{"USER", parse_user},
    Keyword{"VOLUME", parse_volume},
    Keyword{"WORKDIR", parse_workdir},
};

const Keyword* find_keyword(std::string_view name) {
  const auto found = std::find_if(k_keywords.begin(), k_keywords.end(),
                                  [&](const Keyword& keyword) { return equals_ignoring_case(keyword.name, name); });
  return found == k_keywords.end() ? nullptr : found;
}

// ^[a-z][a-z0-9-_.]*$, after lower-casing
bool is_stage_name(std::string_view name) {
  return !name.empty() && is_alpha(name.front()) && std::all_of(name.begin(), name.end(), [](char c) {
    return is_alpha(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
  });
}

std::string exactly_one(const Statement& statement) {
  refuse_flags(statement);
  if (statement.rest.empty()) {
    statement.fail(fmt::format("{} requires exactly one argument", statement.upper_keyword()));
  }
  return statement.rest;
}

// Whether expansion leaves the word alone, so that its value can be checked right away.
bool is_literal(const Statement& statement, std::string_view word) {
  return word.find_first_of("$\"'") == std::string_view::npos && word.find(statement.escape) == std::string_view::npos;
}

[[noreturn]] void fail_without_argument(const Statement& statement) {
  statement.fail(fmt::format("{} requires at least one argument", statement.upper_keyword()));
}

// name=value ... or the legacy form `name value`; the first word decides which.
std::vector<KeyValue> parse_pairs(const Statement& statement) {
  refuse_flags(statement);
  const std::string keyword = statement.upper_keyword();
  const std::vector<std::string> words = split_quoted_words(statement.rest, statement.escape);
  if (words.empty()) fail_without_argument(statement);
  std::vector<KeyValue> pairs;
  if (words.front().find('=') == std::string::npos) {
    const std::string_view rest = statement.rest;
    const std::size_t end = rest.find_first_of(" \t\v\f\r");
    if (end == std::string_view::npos) statement.fail(keyword + " must have two arguments", rest);
    const std::size_t value = std::min(rest.find_first_not_of(" \t\v\f\r", end), rest.size());
    pairs.push_back({std::string(rest.substr(0, end)), std::string(rest.substr(value)), true});
    return pairs;
  }
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      statement.fail(fmt::format("syntax error: can't find = in \"{}\". must be of the form: name=value", word), word);
    }
    if (equals == 0) statement.fail(keyword + " names can not be blank", word);
    pairs.push_back({word.substr(0, equals), word.substr(equals + 1), false});
  }
  return pairs;
}

}  // namespace

std::vector<std::string> instruction_keywords() {
  std::vector<std::string> names;
  for (const Keyword& keyword : k_keywords) names.emplace_back(keyword.name);
  return names;
}

InstructionBody parse_body(const Statement& statement) {
  if (const Keyword* keyword = find_keyword(statement.keyword)) return keyword->parse(statement);
  const auto suggestion = closest_match(statement.upper_keyword(), instruction_keywords());
  const std::string offer = suggestion ? fmt::format(" (did you mean {}?)", *suggestion) : std::string();
  // It looks like a blank, but does not end the keyword.
  const bool has_no_break_space = statement.keyword.find("\xC2\xA0") != std::string::npos;
  statement.fail(fmt::format("unknown instruction: {}{}", statement.keyword, offer), statement.keyword,
                 has_no_break_space ? "it has a no-break space (U+00A0) in it; put a blank there" : "");
}

bool may_open_heredocs(const Statement& statement) {
  const Keyword* keyword = find_keyword(statement.keyword);
  if (keyword == nullptr) return false;
  if (keyword->name == "ONBUILD") return !statement.rest.empty() && may_open_heredocs(trigger_of(statement));
  return keyword->may_open_heredocs && !parse_json_words(statement, statement.rest);
}

Statement trigger_of(const Statement& onbuild) {
  Statement trigger = onbuild;
  trigger.text = onbuild.rest;
  trigger.flags.clear();
  split_statement(trigger);
  return trigger;
}

InstructionBody parse_from(const Statement& statement) {
  From from;
  const std::vector<std::string> words = split_white_space(statement.rest);
  const bool has_alias = words.size() == 3 && equals_ignoring_case(words[1], "as");
  if (words.size() != 1 && !has_alias) {
    const std::size_t culprit = words.size() > 3 ? 3 : 1;
    statement.fail("FROM requires either one or three arguments", words.empty() ? "" : words[culprit]);
  }
  from.image = words.front();
  if (has_alias) {
    if (!is_stage_name(words[2])) {
      statement.fail(
          fmt::format("invalid name for build stage: \"{}\", name can't start with a number or contain symbols",
                      words[2]),
          words[2]);
    }
    from.alias = words[2];
  }
  FlagParser(statement).text("platform", from.platform).parse();
  return from;
}

InstructionBody parse_arg(const Statement& statement) {
  refuse_flags(statement);
  Arg arg;
  for (const std::string& word : split_quoted_words(statement.rest, statement.escape)) {
    const std::size_t equals = word.find('=');
    if (equals == 0) statement.fail("ARG names can not be blank", word);
    Arg::Item item;
    item.name = word.substr(0, equals);
    if (equals != std::string::npos) item.value = word.substr(equals + 1);
    arg.items.push_back(std::move(item));
  }
  if (arg.items.empty()) fail_without_argument(statement);
  return arg;
}

InstructionBody parse_env(const Statement& statement) {
  return Env{parse_pairs(statement)};
}

InstructionBody parse_label(const Statement& statement) {
  return Label{parse_pairs(statement)};
}

InstructionBody parse_maintainer(const Statement& statement) {
  return Maintainer{exactly_one(statement)};
}

InstructionBody parse_workdir(const Statement& statement) {
  return Workdir{exactly_one(statement)};
}

InstructionBody parse_user(const Statement& statement) {
  return User{exactly_one(statement)};
}

InstructionBody parse_stopsignal(const Statement& statement) {
  StopSignal stop{exactly_one(statement)};
  if (is_literal(statement, stop.signal)) statement.located(stop.signal, [&] { return parse_signal(stop.signal); });
  return stop;
}

InstructionBody parse_expose(const Statement& statement) {
  refuse_flags(statement);
  Expose expose{split_white_space(statement.rest)};
  if (expose.ports.empty()) fail_without_argument(statement);
  for (const std::string& port : expose.ports) {
    if (is_literal(statement, port)) statement.located(port, [&] { return parse_ports(port); });
  }
  std::sort(expose.ports.begin(), expose.ports.end());  // as BuildKit does; it shows in the history
  return expose;
}

InstructionBody parse_volume(const Statement& statement) {
  refuse_flags(statement);
  Volume volume;
  const auto json = parse_json_words(statement, statement.rest);
  for (const std::string& word : json ? *json : split_white_space(statement.rest)) {
    const std::string_view path = trim_both(word);
    if (path.empty()) statement.fail("VOLUME specified can not be an empty string");
    volume.paths.emplace_back(path);
  }
  if (volume.paths.empty()) fail_without_argument(statement);
  return volume;
}

}  // namespace tektii::dockerfile
