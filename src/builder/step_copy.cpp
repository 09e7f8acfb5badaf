#include "context_source.hpp"
#include "copy_inputs.hpp"
#include "copy_plan.hpp"
#include "stage_builder.hpp"
#include <tektii/dockerfile/history.hpp>
#include <tektii/dockerfile/values.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

namespace tektii::builder {
namespace {

bool ends_as_directory(const std::string& destination) {
  return destination.ends_with('/') || destination.ends_with("/.") || destination.empty() || destination == "." ||
         destination == "..";
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
  for (std::size_t i = 0; i < words.sources.size(); ++i) {
    try {
      inputs.add_word(words.sources[i]);
    } catch (Error& error) {
      if (!error.span()) error.set_span(session_.plan.file.span(instruction.lines, copy.sources[i]));
      throw;
    }
  }
  for (const auto& heredoc : words.heredocs) inputs.add_text(heredoc);
  const CopyDestination destination{absolute(words.destination), ends_as_directory(words.destination)};

  KeyBuilder shape("copy/4 shape");
  shape.field("layers", linked ? "none" : state_->stack.chain_key())
      .field("destination", destination.path)
      .field("into", destination.wants_directory ? "directory" : "name")
      .field("chown", words.chown.value_or("-"))
      .field("chmod", words.chmod.value_or("-"))
      .field("mtime", std::to_string(new_file_mtime()))
      .field("later times", session_.request.preserve_timestamps ? "stay" : "clamped")
      .field("compression", compression_key());
  inputs.add_shape_to(shape);
  const auto shape_key = shape.finish();
  const auto content_key = [&] {
    KeyBuilder key("copy/4");
    key.field("shape", shape_key);
    ByteMeter meter(session_.deps.progress, step.id(), Activity::read_files);
    inputs.add_contents_to(key, meter);
    return key.finish();
  };
  // Where nothing like it was ever copied, the files are read once: hashed and written to the layer in one go.
  const bool reads_once =
      inputs.has_unread_files() && (session_.request.no_cache || !may_be_known(session_.deps.actions, shape_key));
  const auto step_key = [&]() -> StepKey {
    if (!reads_once) return {content_key()};
    KeyBuilder key("copy/4 stamps");
    key.field("shape", shape_key);
    inputs.add_stamps_to(key);
    return {key.finish(), content_key};
  };

  finish_step(step, step_key(), dockerfile::history_copy(words), [&](int) -> std::optional<layer::WrittenLayer> {
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
  remember_that_known(session_.deps.actions, shape_key);
}

}  // namespace tektii::builder
