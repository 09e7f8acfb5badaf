#include "stage_builder.hpp"

#include "context_source.hpp"
#include <tektii/dockerfile/history.hpp>
#include <tektii/util/clock.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <utility>
#include <variant>

namespace tektii::builder {
namespace {

constexpr const char* k_default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

bool is_run(const dockerfile::Instruction& instruction) {
  return std::holds_alternative<dockerfile::Run>(instruction.body);
}

bool changes_files(const dockerfile::Instruction& instruction) {
  return is_run(instruction) || std::holds_alternative<dockerfile::Copy>(instruction.body) ||
         std::holds_alternative<dockerfile::Workdir>(instruction.body);
}

// What an image hands down: the members that BuildKit knows. Others (an old builder's container, its host name) speak
// of how the base was made.
oci::ImageConfig inherited_config(oci::ImageConfig config) {
  const auto keep = [](std::map<std::string, std::string>& members, std::initializer_list<std::string_view> names) {
    std::erase_if(members, [&](const auto& member) {
      return std::find(names.begin(), names.end(), member.first) == names.end();
    });
  };
  keep(config.unknown, {"os.version", "os.features"});
  keep(config.config.unknown, {"ArgsEscaped"});
  auto& directory = config.config.working_dir;
  if (!directory.empty()) directory = "/" + clean_source_path(directory);
  return config;
}

// A stage begins with the environment of its base, which wins over ARGs of the same names that it inherits.
void load_environment(StageState& state) {
  for (const auto& entry : state.config.config.env) {
    const auto equals = entry.find('=');
    if (equals != std::string::npos) state.variables.set_env(entry.substr(0, equals), entry.substr(equals + 1));
  }
}

// As a step's title, which gets into logs of CI jobs.
std::string shown_line(const dockerfile::Instruction& instruction) {
  const bool has_sources = std::holds_alternative<dockerfile::Copy>(instruction.body);
  return has_sources ? dockerfile::without_url_credentials(instruction.original) : instruction.original;
}

}  // namespace

void add_images(BuildSession& session, const OpenedImages& images) {
  for (const auto& [name, image] : images) {
    auto state = std::make_shared<StageState>(LayerStack(session.deps.snapshots, session.fetcher),
                                              Variables(session.request.build_args, session.plan.global_args));
    for (const auto& layer : image.resolved.layers) {
      session.fetcher.add_source(layer, image.source);
      state->stack.push(layer);
    }
    state->config = inherited_config(image.resolved.config);
    state->base_name = image.resolved.name;
    state->base_digest = image.resolved.manifest.digest;
    session.images.emplace(name, std::move(state));
  }
}

std::shared_ptr<StageState> open_image(BuildSession& session, const std::string& name) {
  const auto found = session.images.find(name);
  if (found == session.images.end()) throw Error(ErrorKind::failure, fmt::format("image {} was not planned", name));
  return found->second;
}

StageBuilder::StageBuilder(BuildSession& session, int index)
    : session_(session), index_(index), planned_(session.plan.stages.at(index)) {
  const auto count = [&](const Instruction& instruction) {
    file_steps_ += changes_files(instruction) ? 1 : 0;
    runs_left_ += is_run(instruction) ? 1 : 0;
  };
  for (const auto& instruction : planned_.triggers) count(instruction);
  for (const auto& instruction : planned_.instructions()) count(instruction);
  if (planned_.base.kind == SourceName::Kind::directory) ++file_steps_;
}

std::shared_ptr<StageState> StageBuilder::build() {
  begin();
  run_instructions(planned_.triggers, true);
  run_instructions(planned_.instructions(), false);
  return state_;
}

void StageBuilder::run_instructions(std::span<const Instruction> instructions, bool are_triggers) {
  in_trigger_ = are_triggers;
  for (const auto& instruction : instructions) {
    throw_if_stopped(session_.stop);
    state_->stack.expect_directories(runs_left_ > 0);
    if (runs_left_ == 0) tree_.drop();  // the last one was in the cache
    runs_left_ -= is_run(instruction) ? 1 : 0;
    try {
      apply(instruction);
    } catch (Error& error) {
      if (error.kind() == ErrorKind::interrupted) throw;
      if (are_triggers) {
        blame_trigger(error, session_.plan, planned_, instruction.original);
      } else if (!error.span()) {
        error.set_span(session_.plan.file.span(instruction));
      }
      throw;
    }
  }
}

// Starts from the base: its config is inherited, a stage also hands its ARGs down (they are copied with its variables).
void StageBuilder::begin() {
  const auto& from = planned_.stage->from;
  try {
    switch (planned_.base.kind) {
      case SourceName::Kind::stage:
        state_ = std::make_shared<StageState>(*session_.stages.at(planned_.base.stage));
        break;
      case SourceName::Kind::image:
        state_ = std::make_shared<StageState>(*open_image(session_, planned_.base.name));
        // What stands in for a name may be a path of this machine; the image is based on what the Dockerfile names.
        if (planned_.base.is_context) state_->base_name = full_image_name(planned_.base.written);
        if (session_.sealed.concerns(index_)) {
          for (const auto& layer : state_->stack.layers()) session_.sealed.add(layer);
        }
        break;
      case SourceName::Kind::directory:
        start_empty();
        add_directory_base();
        break;
      case SourceName::Kind::scratch:
        start_empty();
        break;
    }
  } catch (Error& error) {
    if (!error.span() && error.kind() != ErrorKind::interrupted) {
      error.set_span(session_.plan.file.span(from.lines, planned_.stage->from_body().image));
    }
    throw;
  }
  state_->config.config.on_build.clear();  // they are among the plan's triggers now
  // BuildKit adds PATH to every image that has none.
  if (!state_->config.config.get_env("PATH")) {
    state_->config.config.set_env("PATH", k_default_path);
  }
  load_environment(*state_);
}

void StageBuilder::start_empty() {
  state_ = std::make_shared<StageState>(LayerStack(session_.deps.snapshots, session_.fetcher),
                                        Variables(session_.request.build_args, session_.plan.global_args));
  state_->config.platform = session_.request.platform;
  state_->config.config.working_dir = "/";
}

// FROM a directory context: its files are one layer of the new image.
void StageBuilder::add_directory_base() {
  DirectoryRules rules;
  if (!session_.request.preserve_timestamps) rules.mtime = session_.request.source_date_epoch;
  rules.preserve_modes = session_.request.preserve_modes;
  rules.stat_cache = session_.deps.stat_cache;
  const auto source = make_named_context_source(session_.request, planned_.base.name, rules);
  auto step = start_step(planned_.stage->from);
  // One look for both: what the key says is what the layer gets, or the build fails.
  const auto entries = entries_of(*source, session_.stop);
  KeyBuilder key("directory/1");
  key.field("compression", compression_key());
  {
    ByteMeter meter(session_.deps.progress, step.id(), Activity::read_files);
    add_entries(key, entries, meter, session_.stop);
  }
  finish_step(step, key.finish(), fmt::format("FROM {}", planned_.base.written),
              [&](int) { return write_entries(entries, new_layer(), session_.stop); });
}

void StageBuilder::apply(const Instruction& instruction) {
  std::visit([&](const auto& body) { apply_body(instruction, body); }, instruction.body);
}

std::string StageBuilder::expanded(const Instruction& instruction, std::string_view word) const {
  return expand(session_.plan.file, instruction, word, state_->variables);
}

std::string StageBuilder::absolute(const std::string& path) const {
  const auto& working_dir = state_->config.config.working_dir;
  const auto full = path.rfind('/', 0) == 0 ? path : fmt::format("{}/{}", working_dir, path);
  return "/" + clean_source_path(full);
}

AccountFiles StageBuilder::account_files() {
  return {read_account_file("/etc/passwd"), read_account_file("/etc/group")};
}

// Layer indexes keep the text of both files under their usual names; where a link leads elsewhere, the layer is read.
std::string StageBuilder::read_account_file(const std::string& path) {
  const auto& tree = state_->stack.tree(session_.stop);
  const auto* node = tree.resolve(path).node;
  if (node == nullptr || node->metadata.type != fs::FileType::regular) return {};
  if (node->content) return *node->content;
  constexpr std::size_t k_largest_account_file = 16U << 20U;
  std::string text;
  make_stage_source(state_->stack, session_.deps.snapshots, session_.fetcher, session_.stop)
      ->visit(path.substr(1),
              [&](const SourceEntry& entry) { text = read_all(*entry.file->open(), k_largest_account_file); });
  return text;
}

std::int64_t StageBuilder::new_file_mtime() const {
  return session_.request.source_date_epoch;
}

layer::LayerWriter StageBuilder::new_layer() {
  return {*step_blobs_, session_.request.compression};
}

std::string StageBuilder::compression_key() const {
  const auto& compression = session_.request.compression;
  return fmt::format("{}:{}", static_cast<int>(compression.type), compression.level);
}

ProgressStep StageBuilder::start_step(const Instruction& instruction) {
  ++file_step_;
  return {session_.deps.progress,
          fmt::format("[{} {}/{}] {}{}", planned_.title, file_step_, file_steps_, in_trigger_ ? "ONBUILD " : "",
                      shown_line(instruction)),
          session_.was_stopped()};
}

StepResult StageBuilder::find_or_make(const StepKey& key, ProgressStep& step, const MakeLayer& make) {
  step.begin(Activity::look_in_cache);
  if (!key.late) {
    if (auto known = find_known(key.name)) return std::move(*known);
  }
  if (session_.sealed.concerns(index_)) session_.sealed.image_is_new();
  step.begin(Activity::prepare);
  const bool in_front = session_.deps.image_blobs != nullptr && session_.sealed.concerns(index_);
  step_blobs_.emplace(in_front ? *session_.deps.image_blobs : session_.deps.blobs, session_.deps.progress, step.id());
  StepResult made;
  made.is_new = true;
  if (const auto written = make(step.id())) {
    session_.deps.snapshots.put_index(written->layer.diff_id, written->index);
    made.layer = written->layer;
  }
  remember_step(session_.deps.actions, key.tell(), made);
  return made;
}

void StageBuilder::finish_step(ProgressStep& step, const StepKey& key, const std::string& created_by,
                               const MakeLayer& make) {
  bool made = false;
  const auto result = session_.step_runs->run(key.name, session_.stop, [&] {
    auto found = find_or_make(key, step, make);
    made = found.is_new;
    return found;
  });
  // Another stage may have made it.
  if (result.is_new && session_.sealed.concerns(index_)) session_.sealed.image_is_new();
  state_->records.steps.insert_or_assign(key.tell(), result.layer);
  if (result.layer) state_->stack.push(*result.layer);
  if (result.layer && session_.sealed.concerns(index_)) session_.sealed.add(*result.layer);
  add_history(created_by, !result.layer);
  step.finish(made ? StepOutcome::done : StepOutcome::cached);
}

void StageBuilder::run_step(const Instruction& instruction, const StepKey& key, const std::string& created_by,
                            const MakeLayer& make) {
  auto step = start_step(instruction);
  finish_step(step, key, created_by, make);
}

std::optional<StepResult> StageBuilder::find_known(const std::string& key) {
  const auto& deps = session_.deps;
  if (session_.request.no_cache) return std::nullopt;
  if (auto known = find_step(deps.actions, deps.blobs, key)) return known;
  auto imported = session_.caches.find(key, deps.blobs, session_.fetcher, session_.stop);
  // Locally it counts from the moment that its layer is fetched.
  if (imported) remember_step(deps.actions, key, *imported);
  return imported;
}

std::string StageBuilder::known_content(const std::string& question, const std::function<std::string()>& work) {
  auto& actions = session_.deps.actions;
  std::optional<std::string> content;
  if (!session_.request.no_cache) content = find_content(actions, question);
  if (!content) {
    if (!session_.request.no_cache) content = session_.caches.find_content(question);
    if (!content) content = work();
    remember_content(actions, question, *content);
  }
  state_->records.contents.insert_or_assign(question, *content);
  return *content;
}

void StageBuilder::add_history(const std::string& created_by, bool empty_layer) {
  oci::HistoryEntry entry;
  entry.created = format_rfc3339(session_.request.created);
  entry.created_by = created_by;
  entry.comment = std::string(dockerfile::k_history_comment);
  entry.empty_layer = empty_layer;
  state_->config.history.push_back(std::move(entry));
}

}  // namespace tektii::builder
