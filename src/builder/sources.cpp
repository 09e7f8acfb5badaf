#include "base_images.hpp"
#include "plan.hpp"
#include "remote_source.hpp"
#include "variables.hpp"
#include <tektii/builder/sources.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>
#include <utility>
#include <variant>

namespace tektii::builder {
namespace {

// The variables that words of names mention, and after close() those that these are made of.
class UsedNames {
 public:
  explicit UsedNames(const dockerfile::Dockerfile& file) : options_{.escape = file.directives.escape} {
    for (const auto& instruction : file.global_args) note_definition(instruction);
    for (const auto& stage : file.stages) {
      for (const auto& instruction : stage.instructions) note_definition(instruction);
    }
  }

  void add_word(const std::string& word) { add(names_in(word)); }

  std::map<std::string, std::string> given_of(const BuildArgs& build_args) const {
    std::map<std::string, std::string> given;
    for (const auto& [name, value] : build_args) {
      if (used_.contains(name)) given.emplace(name, value);
    }
    return given;
  }

 private:
  std::set<std::string> names_in(const std::string& word) const {
    std::set<std::string> names;
    const auto note = [&](std::string_view name) -> std::optional<std::string> {
      names.emplace(name);
      return "x";
    };
    try {
      dockerfile::expand_word(word, note, options_);
    } catch (const Error&) {
      return names;  // where the word is used, that says what is wrong with it
    }
    return names;
  }

  void add(const std::set<std::string>& names) {
    for (const auto& name : names) {
      if (!used_.insert(name).second) continue;
      const auto [begin, end] = made_of_.equal_range(name);
      for (auto it = begin; it != end; ++it) add_word(it->second);
    }
  }

  void note_definition(const dockerfile::Instruction& instruction) {
    if (const auto* arg = std::get_if<dockerfile::Arg>(&instruction.body)) {
      for (const auto& item : arg->items) made_of_.emplace(item.name, item.value.value_or(""));
    } else if (const auto* env = std::get_if<dockerfile::Env>(&instruction.body)) {
      for (const auto& pair : env->pairs) made_of_.emplace(pair.key, pair.value);
    }
  }

  dockerfile::ExpandOptions options_;
  std::multimap<std::string, std::string> made_of_;
  std::set<std::string> used_;
};

class Lister {
 public:
  Lister(const BuildRequest& request, const Plan& plan, const OpenedImages& images)
      : request_(request), plan_(plan), images_(images), used_(plan.file) {}

  SourceList list() {
    for (const auto& name : plan_.images) {
      list_.images.push_back(
          {name, image_key(request_, name), images_.at(name).resolved.manifest.digest, plan_.image_uses.at(name).span});
    }
    for (const auto& [index, stage] : plan_.stages) {
      used_.add_word(stage.stage->from_body().image);
      auto variables = begin(stage);
      for (const auto& instruction : stage.triggers) visit(instruction, variables);
      for (const auto& instruction : stage.instructions()) visit(instruction, variables);
      finished_.emplace(index, std::move(variables));
    }
    list_.build_args = used_.given_of(request_.build_args);
    return std::move(list_);
  }

 private:
  // What StageBuilder begins a stage with.
  Variables begin(const PlannedStage& stage) const {
    if (stage.base.kind == SourceName::Kind::stage) return finished_.at(stage.base.stage);
    Variables variables(request_.build_args, plan_.global_args);
    if (stage.base.kind != SourceName::Kind::image) return variables;
    for (const auto& entry : images_.at(stage.base.name).resolved.config.config.env) {
      const auto equals = entry.find('=');
      if (equals != std::string::npos) variables.set_env(entry.substr(0, equals), entry.substr(equals + 1));
    }
    return variables;
  }

  void visit(const dockerfile::Instruction& instruction, Variables& variables) {
    if (const auto* arg = std::get_if<dockerfile::Arg>(&instruction.body)) {
      for (const auto& item : arg->items) {
        auto value = item.value;
        if (value && !variables.is_given(item.name)) value = expand(plan_.file, instruction, *value, variables);
        variables.declare_arg(item.name, value);
      }
    } else if (const auto* env = std::get_if<dockerfile::Env>(&instruction.body)) {
      std::vector<std::pair<std::string, std::string>> values;
      for (const auto& pair : env->pairs) {
        values.emplace_back(expand(plan_.file, instruction, pair.key, variables),
                            expand(plan_.file, instruction, pair.value, variables));
      }
      for (const auto& [name, value] : values) variables.set_env(name, value);
    } else if (const auto* copy = std::get_if<dockerfile::Copy>(&instruction.body); copy != nullptr && copy->is_add) {
      for (const auto& word : copy->sources) add_word(instruction, *copy, word, variables);
    }
  }

  void add_word(const dockerfile::Instruction& instruction, const dockerfile::Copy& add, const std::string& word,
                const Variables& variables) {
    const auto span = plan_.file.span(instruction.lines, word);
    try {
      const auto value = expand(plan_.file, instruction, word, variables);
      auto reference = parse_add_reference(value);
      if (reference.kind == AddReference::Kind::path) return;
      used_.add_word(word);
      std::optional<std::string> checksum;
      if (add.checksum) {
        used_.add_word(*add.checksum);
        checksum = expand(plan_.file, instruction, *add.checksum, variables);
        if (checksum->empty()) checksum.reset();
      }
      if (reference.kind == AddReference::Kind::git) {
        apply_git_flags(reference.git, add.keep_git_dir, checksum);
        add_repository({std::move(reference.git), span});
      } else {
        add_file({value, checksum ? std::optional(parse_file_checksum(*checksum)) : std::nullopt, span});
      }
    } catch (Error& error) {
      if (!error.span()) error.set_span(span);
      throw;
    }
  }

  void add_file(ListedFile file) {
    const auto key = file_key(file.url);
    const auto known = std::find_if(list_.files.begin(), list_.files.end(),
                                    [&](const auto& other) { return file_key(other.url) == key; });
    if (known == list_.files.end()) {
      list_.files.push_back(std::move(file));
    } else if (!known->checksum) {
      known->checksum = file.checksum;
    }
  }

  void add_repository(ListedRepository repository) {
    const auto key = repository_key(repository.reference);
    const auto known = std::find_if(list_.repositories.begin(), list_.repositories.end(),
                                    [&](const auto& other) { return repository_key(other.reference) == key; });
    if (known == list_.repositories.end()) list_.repositories.push_back(std::move(repository));
  }

  const BuildRequest& request_;
  const Plan& plan_;
  const OpenedImages& images_;
  UsedNames used_;
  SourceList list_;
  std::map<int, Variables> finished_;  // by stage: what those that are built on it begin with
};

// scp-like "git@host:path" has a user that is no secret, and no password.
std::string without_url_user(const std::string& remote) {
  return remote.starts_with("http://") || remote.starts_with("https://") ? without_credentials(remote) : remote;
}

}  // namespace

SourceList list_sources(const BuildRequest& request, const BuildDeps& deps, const std::stop_token& stop) {
  Plan plan = make_source_plan(request);
  const auto images = complete_plan(plan, request, deps, stop);
  return Lister(request, plan, images).list();
}

std::string image_key(const BuildRequest& request, const std::string& opened_name) {
  for (const auto& [name, context] : request.named_contexts) {
    if (context.kind == NamedContext::Kind::image && context.image == opened_name) return full_image_name(name);
  }
  return full_image_name(opened_name);
}

std::string file_key(std::string_view url) {
  return without_credentials(url.substr(0, url.find('#')));
}

std::string repository_key(const dockerfile::GitRef& reference) {
  const auto remote = without_url_user(reference.remote);
  return reference.ref.empty() ? remote : fmt::format("{}#{}", remote, reference.ref);
}

}  // namespace tektii::builder
