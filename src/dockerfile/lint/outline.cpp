#include "dockerfile/lint/environment.hpp"
#include "dockerfile/lint/scopes.hpp"
#include <tektii/dockerfile/outline.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <variant>

namespace tektii::dockerfile {
namespace {

// The text behind the name in the first comment that begins with it.
std::string description_of(const Instruction& instruction, const std::string& name) {
  if (name.empty()) return {};
  for (const std::string& comment : instruction.comments) {
    if (comment.starts_with(name + " ")) return comment.substr(name.size() + 1);
  }
  return {};
}

template <typename Entry>
bool has_name(const std::vector<Entry>& entries, const std::string& name) {
  return std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.name == name; });
}

template <typename Entry>
void add_once(std::vector<Entry>& entries, Entry entry) {
  if (!has_name(entries, entry.name)) entries.push_back(std::move(entry));
}

template <typename Entry>
void sort_by_line(std::vector<Entry>& entries) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.lines.first < b.lines.first; });
}

// path.Clean
std::string clean_path(const std::string& path) {
  std::string clean = std::filesystem::path(path).lexically_normal().string();
  if (clean.size() > 1 && clean.ends_with('/')) clean.pop_back();
  return clean;
}

struct KnownArg {
  OutlineArg arg;
  std::set<std::string> uses;
};

struct StageOutline {
  std::map<std::string, KnownArg> args;  // all that are visible
  std::set<std::string> used;            // those that the stage speaks of
  std::vector<OutlineMount> secrets;
  std::vector<OutlineMount> ssh;
  std::vector<OutlineMount> caches;
  std::set<std::size_t> needs;  // other stages, the base among them
  Environment environment;
};

class Outliner {
 public:
  Outliner(const Dockerfile& file, const OutlineInput& input)
      : file_(file), input_(input), stages_(file.stages.size()) {
    LintFacts facts;
    facts.build_args = input.build_args;
    facts.platform_args = input.platform_args;
    facts.target = input.target;
    globals_ = evaluate_global_args(file, facts, input.build_args);
  }

  Outline run() {
    const std::size_t target = find_target_stage(file_, input_.target);
    Outline result;
    result.name = file_.stages[target].name;
    result.description = description_of(file_.stages[target].from, result.name);
    collect(target, result);
    sort_by_line(result.args);
    sort_by_line(result.secrets);
    sort_by_line(result.ssh);
    sort_by_line(result.caches);
    return result;
  }

 private:
  // Without recursion: a file may chain more stages than the stack has room for.
  void collect(std::size_t target, Outline& result) {
    std::set<std::size_t> seen;
    std::vector<std::size_t> open = {target};
    while (!open.empty()) {
      const std::size_t index = open.back();
      open.pop_back();
      if (!seen.insert(index).second) continue;
      const StageOutline& stage = outline_of(index);
      add(stage, result);
      open.insert(open.end(), stage.needs.rbegin(), stage.needs.rend());
    }
  }

  static void add(const StageOutline& stage, Outline& result) {
    for (const std::string& name : with_uses(stage)) {
      if (const auto arg = stage.args.find(name); arg != stage.args.end()) add_once(result.args, arg->second.arg);
    }
    for (const OutlineMount& secret : stage.secrets) add_once(result.secrets, secret);
    for (const OutlineMount& agent : stage.ssh) add_once(result.ssh, agent);
    for (const OutlineMount& cache : stage.caches) add_once(result.caches, cache);
  }

  // An ARG that another one's default names is used with it.
  static std::set<std::string> with_uses(const StageOutline& stage) {
    std::set<std::string> names = stage.used;
    std::vector<std::string> open(names.begin(), names.end());
    while (!open.empty()) {
      const auto arg = stage.args.find(open.back());
      open.pop_back();
      if (arg == stage.args.end()) continue;
      for (const std::string& name : arg->second.uses) {
        if (names.insert(name).second) open.push_back(name);
      }
    }
    return names;
  }

  // Of the stages that it is built on first.
  const StageOutline& outline_of(std::size_t index) {
    std::vector<std::size_t> chain;
    for (std::optional<std::size_t> next = index; next && !stages_[*next]; next = base_of(*next)) {
      chain.push_back(*next);
    }
    for (auto next = chain.rbegin(); next != chain.rend(); ++next) {
      auto outline = std::make_unique<StageOutline>();
      fill(*outline, *next);
      stages_[*next] = std::move(outline);
    }
    return *stages_[index];
  }

  std::optional<std::size_t> base_of(std::size_t index) const {
    const Stage& stage = file_.stages[index];
    return find_stage(file_, expand_in_from(stage, stage.from_body().image).text, index);
  }

  void fill(StageOutline& outline, std::size_t index) {
    const Stage& stage = file_.stages[index];
    const From& from = stage.from_body();
    const LintWord image = use_in_from(outline, stage, from.image);
    if (from.platform) use_in_from(outline, stage, *from.platform);
    const auto base = find_stage(file_, image.text, index);
    if (base) {
      const StageOutline& parent = *stages_[*base];
      outline.args = parent.args;
      outline.environment = parent.environment;
      outline.needs.insert(*base);
      for (const Instruction& instruction : file_.stages[*base].instructions) {
        const auto* onbuild = std::get_if<Onbuild>(&instruction.body);
        if (onbuild != nullptr) apply(outline, parse_trigger(onbuild->text, file_.name), stage.from, index);
      }
    } else {
      outline.environment.set("PATH", k_default_path);
      for (const auto& [name, global] : globals_.args) {
        const Instruction& instruction = *global.instruction;
        const OutlineArg arg{name, global.value, description_of(instruction, name), instruction.lines};
        outline.args.emplace(name, KnownArg{arg, global.uses});
      }
    }
    for (const Instruction& instruction : stage.instructions) apply(outline, instruction, instruction, index);
  }

  LintWord expand_in_from(const Stage& stage, const std::string& text) const {
    LintWord word = expand_for_lint(text, globals_.environment, {.escape = file_.directives.escape});
    if (word.failure) throw Error(*word.failure).set_span(file_.span(stage.from.lines, text));
    return word;
  }

  LintWord use_in_from(StageOutline& outline, const Stage& stage, const std::string& text) const {
    LintWord word = expand_in_from(stage, text);
    outline.used.insert(word.found.begin(), word.found.end());
    return word;
  }

  void apply(StageOutline& outline, const Instruction& instruction, const Instruction& place, std::size_t index) {
    try {
      for (const std::string& name : source_names(instruction)) {
        if (const auto source = find_source_stage(file_, name, index)) outline.needs.insert(*source);
      }
      if (const auto* arg = std::get_if<Arg>(&instruction.body)) declare(outline, instruction, *arg, place);
      if (const auto* env = std::get_if<Env>(&instruction.body)) set(outline, *env);
      if (const auto* run = std::get_if<Run>(&instruction.body)) mount(outline, *run, place);
    } catch (Error& error) {
      if (!error.span()) error.set_span(file_.span(place.lines));
      throw;
    }
  }

  std::string expanded(const StageOutline& outline, std::string_view word) const {
    return expand_for_lint(word, outline.environment, {.escape = file_.directives.escape}).text;
  }

  void declare(StageOutline& outline, const Instruction& instruction, const Arg& arg, const Instruction& place) {
    for (const Arg::Item& item : arg.items) {
      std::optional<std::string> value;
      const auto global = globals_.environment.get(item.name);
      const auto given = input_.build_args.find(item.name);
      // Without a value of its own it is the one before the first FROM.
      const bool is_global = !item.value && given == input_.build_args.end() && global;
      if (given != input_.build_args.end()) {
        value = given->second;
      } else {
        value = item.value ? std::optional(expanded(outline, *item.value)) : global;
      }
      if (value) outline.environment.set(item.name, *value);
      if (!is_global) {
        const OutlineArg known{item.name, value.value_or(""), description_of(instruction, item.name), place.lines};
        outline.args[item.name] = {known, {}};
      }
      outline.used.insert(item.name);
    }
  }

  void set(StageOutline& outline, const Env& env) const {
    std::vector<std::pair<std::string, std::string>> values;
    for (const KeyValue& pair : env.pairs) {
      values.emplace_back(expanded(outline, pair.key), expanded(outline, pair.value));
    }
    for (auto& [key, value] : values) outline.environment.set(key, std::move(value));
  }

  void mount(StageOutline& outline, const Run& run, const Instruction& place) const {
    // The values are not checked: one that hangs on a base image would seem to be wrong.
    for (const MountFlag& flag : run.mounts) {
      const std::string type = to_lower(expanded(outline, flag.type));
      std::string id;
      std::string target;
      bool required = false;
      for (const auto& [key, written] : flag.options) {
        const std::string value = expanded(outline, written);
        if (key == "id" || ((key == "source" || key == "src") && type == "secret")) id = value;
        if (key == "target" || key == "dst" || key == "destination") target = value;
        if (key == "required") required = value.empty() || value.starts_with('1') || value.find_first_of("tT") == 0;
      }
      if (type == "secret") {
        if (id.empty()) id = std::filesystem::path(target).filename().string();
        add_once(outline.secrets, {id, required, place.lines});
      } else if (type == "ssh") {
        add_once(outline.ssh, {id.empty() ? "default" : id, required, place.lines});
      } else if (type == "cache") {
        if (id.empty()) id = clean_path(target);
        add_once(outline.caches, {id, false, place.lines});
      }
    }
  }

  const Dockerfile& file_;
  const OutlineInput& input_;
  GlobalScope globals_;
  std::vector<std::unique_ptr<StageOutline>> stages_;
};

}  // namespace

Outline outline(const Dockerfile& file, const OutlineInput& input) {
  return Outliner(file, input).run();
}

std::vector<OutlineTarget> list_targets(const Dockerfile& file) {
  std::vector<OutlineTarget> targets;
  for (const Stage& stage : file.stages) {
    OutlineTarget target;
    target.name = stage.name;
    target.description = description_of(stage.from, stage.name);
    target.base = stage.from_body().image;
    target.platform = stage.from_body().platform.value_or("");
    target.is_default = &stage == &file.stages.back();
    target.lines = stage.from.lines;
    targets.push_back(std::move(target));
  }
  return targets;
}

}  // namespace tektii::dockerfile
