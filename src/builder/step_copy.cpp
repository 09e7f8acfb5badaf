#include "context_source.hpp"
#include "copy_inputs.hpp"
#include "copy_plan.hpp"
#include "stage_builder.hpp"
#include <tektii/dockerfile/history.hpp>
#include <tektii/dockerfile/values.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <utility>

namespace tektii::builder {
namespace {

bool ends_as_directory(const std::string& destination) {
  return destination.ends_with('/') || destination.ends_with("/.") || destination.empty() || destination == "." ||
         destination == "..";
}

void add_inputs(CopyInputs& inputs, const dockerfile::Copy& words, const dockerfile::Copy& written,
                const dockerfile::Dockerfile& file, const dockerfile::Instruction& instruction) {
  for (std::size_t i = 0; i < words.sources.size(); ++i) {
    try {
      inputs.add_word(words.sources[i]);
    } catch (Error& error) {
      if (!error.span()) error.set_span(file.span(instruction.lines, written.sources[i]));
      throw;
    }
  }
  for (const auto& heredoc : words.heredocs) inputs.add_text(heredoc);
}

// What the words say about where the files go, and as what.
void add_words(KeyBuilder& key, const dockerfile::Copy& words, const CopyDestination& destination) {
  key.field("destination", destination.path)
      .field("into", destination.wants_directory ? "directory" : "name")
      .field("chown", words.chown.value_or("-"))
      .field("chmod", words.chmod.value_or("-"));
}

std::string content_of(CopyInputs& inputs, ProgressSink& progress, int step_id) {
  KeyBuilder content("content/2");
  inputs.add_shape_to(content);
  ByteMeter meter(progress, step_id, Activity::read_files);
  inputs.add_contents_to(content, meter);
  return content.finish();
}

// The key of a copy of which the inputs are there. When they are to be read once, it is known only after that, and what
// stat(2) says of the files tells the step apart until then.
StepKey inputs_key(const std::string& shape, CopyInputs& inputs, bool reads_once, ProgressSink& progress, int step_id) {
  auto content_key = [shape, &inputs, &progress, step_id] {
    KeyBuilder key("copy/5");
    key.field("shape", shape);
    ByteMeter meter(progress, step_id, Activity::read_files);
    inputs.add_contents_to(key, meter);
    return key.finish();
  };
  if (!reads_once) return {content_key()};
  KeyBuilder key("copy/5 stamps");
  key.field("shape", shape);
  inputs.add_stamps_to(key);
  return {key.finish(), std::move(content_key)};
}

}  // namespace

std::unique_ptr<CopySource> StageBuilder::copy_source(const dockerfile::Copy& copy) {
  const auto& request = session_.request;
  DirectoryRules rules;
  if (!request.preserve_timestamps) rules.mtime = request.source_date_epoch;
  rules.preserve_modes = request.preserve_modes;
  rules.stat_cache = session_.deps.stat_cache;
  if (!copy.from) {
    return make_directory_source(request.context, fs::IgnorePatterns::parse(request.ignore_text, request.ignore_name),
                                 request.ignore_name, rules);
  }
  const auto name = resolve_from(session_.plan, request, index_, *copy.from);
  switch (name.kind) {
    case SourceName::Kind::directory:
      return make_named_context_source(request, name.name, rules);
    case SourceName::Kind::stage:
      return make_stage_source(session_.stages.at(name.stage)->stack, session_.deps.snapshots, session_.fetcher,
                               session_.stop);
    case SourceName::Kind::image:
      return make_stage_source(open_image(session_, name.name)->stack, session_.deps.snapshots, session_.fetcher,
                               session_.stop);
    case SourceName::Kind::scratch:
      break;
  }
  throw Error(ErrorKind::usage, "COPY --from=scratch: there is nothing to copy from");
}

const LayerStack* StageBuilder::stack_of(const dockerfile::Copy& copy) {
  if (!copy.from) return nullptr;
  const auto name = resolve_from(session_.plan, session_.request, index_, *copy.from);
  if (name.kind == SourceName::Kind::stage) return &session_.stages.at(name.stage)->stack;
  if (name.kind == SourceName::Kind::image) return &open_image(session_, name.name)->stack;
  return nullptr;
}

// What is copied out of a stage follows from its layers and the words, so that its files need not be known, nor the
// layers be there, where the answer is.
std::optional<std::string> StageBuilder::copy_question(const dockerfile::Copy& words) {
  const auto* const stack = stack_of(words);
  if (stack == nullptr || !words.heredocs.empty()) return std::nullopt;
  KeyBuilder question("copied/1");
  question.field("layers", stack->chain_key())
      .field("parents", words.parents.value_or(false) ? "yes" : "no")
      .field("unpack", words.unpack.value_or(false) ? "yes" : "no");
  for (const auto& source : words.sources) question.field("source", source);
  for (const auto& pattern : words.exclude) question.field("exclude", pattern);
  return question.finish();
}

dockerfile::Copy StageBuilder::expanded_copy(const Instruction& instruction, const dockerfile::Copy& copy) const {
  auto result = copy;
  for (auto* flag : {&result.chown, &result.chmod, &result.checksum}) {
    if (*flag) *flag = expanded(instruction, **flag);
    if (*flag && (*flag)->empty()) flag->reset();  // "--chown=$OWNER" without a value is no --chown
  }
  for (auto& word : result.sources) word = expanded(instruction, word);
  result.destination = expanded(instruction, copy.destination);
  // In the text of a here-document quotes mean nothing, and '\\' escapes whatever the escape directive says.
  for (auto& heredoc : result.heredocs) {
    if (!heredoc.expand) continue;
    heredoc.content = dockerfile::expand_word(heredoc.content, state_->variables.lookup(), {.raw_quotes = true}).text;
  }
  return result;
}

void StageBuilder::apply_body(const Instruction& instruction, const dockerfile::Copy& copy) {
  const auto words = expanded_copy(instruction, copy);
  // As in BuildKit a --chmod makes --link an ordinary copy: the mode would go to the directories on the way, which in
  // a layer of its own take the place of those below.
  const bool linked = words.link.value_or(false) && !words.chmod;
  if (linked && words.chown) check_link_owner(*words.chown);

  auto step = start_step(instruction);
  const auto local = copy_source(words);
  CopyInputs inputs(words, session_.request, session_.deps, *local, session_.stop);
  bool inputs_are_known = false;
  const auto find_inputs = [&] {
    if (!std::exchange(inputs_are_known, true)) add_inputs(inputs, words, copy, session_.plan.file, instruction);
  };
  const CopyDestination destination{absolute(words.destination), ends_as_directory(words.destination)};

  KeyBuilder key("copy/5 shape");
  key.field("layers", linked ? "none" : state_->stack.chain_key())
      .field("mtime", std::to_string(new_file_mtime()))
      .field("later times", session_.request.preserve_timestamps ? "stay" : "clamped")
      .field("compression", compression_key());
  add_words(key, words, destination);
  std::optional<std::string> shape;
  const auto step_key = [&]() -> StepKey {
    if (const auto question = copy_question(words)) {
      key.field("content", known_content(*question, [&] {
                  find_inputs();
                  return content_of(inputs, session_.deps.progress, step.id());
                }));
      return {key.finish()};
    }
    find_inputs();
    inputs.add_shape_to(key);
    shape = key.finish();
    // Where nothing like it was ever copied, the files are read once: hashed and written to the layer in one go.
    const bool can_be_known = session_.caches.offers_steps() || may_be_known(session_.deps.actions, *shape);
    const bool reads_once = inputs.has_unread_files() && (session_.request.no_cache || !can_be_known);
    return inputs_key(*shape, inputs, reads_once, session_.deps.progress, step.id());
  };

  finish_step(step, step_key(), dockerfile::history_copy(words), [&](int) -> std::optional<layer::WrittenLayer> {
    find_inputs();
    const layer::FileTree nothing;
    const auto& tree = linked ? nothing : state_->stack.tree(session_.stop);
    CopyAttributes attributes;
    attributes.new_directory_mtime = new_file_mtime();
    if (words.chown) attributes.owner = resolve_chown(linked ? AccountFiles{} : account_files(), *words.chown);
    if (words.chmod) attributes.chmod = dockerfile::parse_chmod(*words.chmod);
    CopyPlan plan(tree, std::move(attributes));
    inputs.plan(plan, destination);
    if (plan.empty()) return std::nullopt;
    auto writer = new_layer();
    plan.write(writer, session_.stop);
    return writer.commit();
  });
  if (shape) remember_that_known(session_.deps.actions, *shape);
}

}  // namespace tektii::builder
