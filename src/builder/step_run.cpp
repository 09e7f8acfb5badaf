#include "accounts.hpp"
#include "check_run.hpp"
#include "run_root.hpp"
#include "stage_builder.hpp"
#include <tektii/dockerfile/history.hpp>
#include <tektii/dockerfile/mount.hpp>
#include <tektii/dockerfile/values.hpp>
#include <tektii/layer/diff.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>

namespace tektii::builder {
namespace {

// Hands the output of a command on and keeps its last lines for the error.
class StepOutput : public exec::OutputSink {
 public:
  StepOutput(ProgressSink& progress, int step_id) : progress_(progress), step_id_(step_id) {}

  void write(exec::OutputStream, std::string_view bytes) override {
    progress_.step_output(step_id_, bytes);
    for (const char c : bytes) {
      if (c == '\n') {
        keep_line();
      } else if (line_.size() < k_longest_line) {
        line_ += c;
      }
    }
  }

  // "  | line" for each of the last lines.
  std::string tail() {
    if (!line_.empty()) keep_line();
    std::string text;
    for (const auto& line : lines_) text += fmt::format("\n  | {}", escape_control(line));
    return text;
  }

 private:
  static constexpr std::size_t k_lines_kept = 12;
  static constexpr std::size_t k_longest_line = 400;

  void keep_line() {
    lines_.push_back(std::move(line_));
    line_.clear();
    if (lines_.size() > k_lines_kept) lines_.pop_front();
  }

  ProgressSink& progress_;
  int step_id_;
  std::string line_;
  std::deque<std::string> lines_;
};

std::string exit_text(const exec::ExitStatus& status) {
  if (status.signal != 0) return fmt::format("was ended by signal {} (exit code {})", status.signal, status.exit_code);
  return fmt::format("failed with exit code {}", status.exit_code);
}

// Puts "NAME=value" into an environment; one of that name is kept or replaced.
void put_variable(std::vector<std::string>& env, const std::string& entry, bool replace) {
  const auto start = entry.substr(0, entry.find('=') + 1);
  const auto known = std::find_if(env.begin(), env.end(), [&](const auto& other) { return other.starts_with(start); });
  if (known == env.end()) {
    env.push_back(entry);
  } else if (replace) {
    *known = entry;
  }
}

// A heredoc with an interpreter line is a file below /dev/pipes, as BuildKit has it.
void add_script(const dockerfile::CommandLine& command, layer::Snapshots& snapshots,
                std::optional<layer::OverlayWorkspace>& pipes, exec::RunSpec& spec) {
  const auto script = dockerfile::shell_script(command).file;
  if (!script) return;
  pipes.emplace(snapshots.make_workspace());
  const auto directory = pipes->upper();
  std::filesystem::permissions(directory, std::filesystem::perms(0755));
  write_file_atomic(directory / script->name, script->content, 0755);
  spec.mounts.push_back({"/dev/pipes", exec::HostSource{directory}, true});
}

}  // namespace

// Shell form runs under SHELL, exec form as it is.
std::vector<std::string> StageBuilder::command_argv(const dockerfile::CommandLine& command) const {
  if (command.exec_form || command.words.empty()) return command.words;
  auto argv = state_->config.config.shell;
  if (argv.empty()) argv = {"/bin/sh", "-c"};
  argv.push_back(dockerfile::shell_script(command).command);
  return argv;
}

// The image's environment with the values that ARGs of the same name gave since, the other ARGs, HOME, and the clock
// for tools that honour it (Python then writes .pyc files that do not depend on times).
std::vector<std::string> StageBuilder::run_environment(const std::string& home) const {
  std::vector<std::string> environment;
  std::set<std::string> names;
  const auto add = [&](const std::string& name, const std::string& value) {
    if (names.insert(name).second) environment.push_back(fmt::format("{}={}", name, value));
  };
  for (const auto& entry : state_->config.config.env) {
    const auto name = entry.substr(0, entry.find('='));
    add(name, state_->variables.get(name).value_or(""));
  }
  for (const auto& [name, value] : state_->variables.run_args()) add(name, value);
  add("HOME", home);
  if (!session_.request.preserve_timestamps) {
    add("SOURCE_DATE_EPOCH", std::to_string(session_.request.source_date_epoch));
  }
  return environment;
}

exec::RunSpec StageBuilder::run_spec(const dockerfile::Run& run, const std::vector<std::string>& extra_env) {
  const auto& config = state_->config.config;
  const auto& request = session_.request;
  const auto account = resolve_user(account_files(), config.user);
  exec::RunSpec spec;
  spec.argv = command_argv(run.command);
  spec.env = run_environment(account.home);
  for (const auto& entry : extra_env) put_variable(spec.env, entry, false);
  for (const auto& entry : state_->variables.proxy_env()) put_variable(spec.env, entry, true);
  spec.working_dir = config.working_dir.empty() ? "/" : config.working_dir;
  spec.uid = account.uid;
  spec.gid = account.gid;
  spec.supplementary_groups = account.supplementary_groups;
  spec.host_name = sandbox_host_name(session_.request.build_args);
  if (run_network(run, request) == "none") spec.network = exec::NetworkMode::none;
  if (run.security.value_or("") == "insecure") spec.security = exec::SecurityMode::insecure;
  spec.ulimits = request.ulimits;
  spec.shm_size = request.shm_size;
  spec.extra_hosts = request.extra_hosts;
  return spec;
}

StepMounts StageBuilder::run_mounts(const Instruction& instruction, const dockerfile::Run& run) {
  const auto& working_dir = state_->config.config.working_dir;
  std::vector<RunMount> mounts;
  int ssh_mounts = 0;
  for (const auto& flag : run.mounts) {
    try {
      const auto expanded =
          dockerfile::expand_mount(flag, state_->variables.lookup(), {.escape = session_.plan.file.directives.escape});
      mounts.push_back(to_run_mount(expanded, working_dir, ssh_mounts));
    } catch (Error& error) {
      throw error.set_span(mount_span(session_.plan.file, instruction, flag));
    }
    if (mounts.back().kind == RunMount::Kind::ssh) ++ssh_mounts;
  }
  return StepMounts(std::move(mounts), [this](const RunMount& mount) { return mount_source(mount); });
}

MountSource StageBuilder::mount_source(const RunMount& mount) {
  MountSource source;
  dockerfile::Copy copy;
  copy.from = mount.from;
  SourceName name;
  name.kind = SourceName::Kind::directory;
  if (mount.from) name = resolve_from(session_.plan, session_.request, index_, *mount.from);
  if (name.kind == SourceName::Kind::scratch) return source;
  if (name.kind == SourceName::Kind::directory) {
    source.files = copy_source(copy);
    if (!has_path(*source.files, mount.source)) {
      throw Error(ErrorKind::usage,
                  fmt::format("/{} not found in {}", mount.source, mount.from.value_or("the build context")));
    }
    return source;
  }
  source.is_image = name.kind == SourceName::Kind::image;
  const auto state = source.is_image ? open_image(session_, name.name) : session_.stages.at(name.stage);
  source.stack = std::shared_ptr<LayerStack>(state, &state->stack);
  return source;
}

// What a command sees beside its files, where it is not as usual.
void StageBuilder::add_surroundings(KeyBuilder& key, const dockerfile::Run& run) const {
  const auto& request = session_.request;
  if (run.security.value_or("sandbox") != "sandbox") key.field("security", *run.security);
  if (request.shm_size) key.field("shm", std::to_string(*request.shm_size));
  for (const auto& limit : request.ulimits) {
    key.field("ulimit", fmt::format("{}={}:{}", limit.name, limit.soft, limit.hard));
  }
  for (const auto& [name, address] : request.extra_hosts) key.field("host", name + "=" + address);
  if (run.command.exec_form) return;
  if (const auto script = dockerfile::shell_script(run.command).file) key.field("script", script->content);
}

void StageBuilder::apply_body(const Instruction& instruction, const dockerfile::Run& run) {
  const auto argv = command_argv(run.command);
  auto mounts = run_mounts(instruction, run);
  // An input of the layer of its own: the variable that tells the command may be overridden by an ENV.
  const auto timestamps =
      session_.request.preserve_timestamps ? "preserve" : fmt::format("clamp {}", session_.request.source_date_epoch);
  KeyBuilder key("run/2");
  key.field("layers", state_->stack.chain_key())
      .field("user", state_->config.config.user)
      .field("directory", state_->config.config.working_dir)
      .field("network", run_network(run, session_.request))
      .field("host name", sandbox_host_name(session_.request.build_args))
      .field("timestamps", timestamps)
      .field("compression", compression_key());
  for (const auto& word : argv) key.field("argv", word);
  for (const auto& entry : run_environment("")) key.field("env", entry);
  add_surroundings(key, run);
  MountContext context{session_.request, session_.deps, session_.fetcher, *session_.bind_files, session_.stop, {}};
  context.known_content = [this](const std::string& question, const std::function<std::string()>& work) {
    return known_content(question, work);
  };
  mounts.add_to_key(key, context);

  const auto created_by = dockerfile::history_run(state_->variables.history_args(), argv);
  run_step(instruction, key.finish(), created_by, [&](int step_id) -> std::optional<layer::WrittenLayer> {
    auto& snapshots = session_.deps.snapshots;
    auto& progress = session_.deps.progress;
    progress.step_progress(step_id, {Activity::unpack});
    const auto root = session_.deps.snapshotter == Snapshotter::copy
                          ? tree_.open(state_->stack, snapshots, session_.stop)
                          : open_overlay_root(state_->stack, snapshots, session_.stop);
    progress.step_progress(step_id, {Activity::run});
    StepOutput output(progress, step_id);
    auto spec = run_spec(run, mounts.environment());
    std::optional<layer::OverlayWorkspace> pipes;
    if (!run.command.exec_form) add_script(run.command, snapshots, pipes, spec);
    context.tell = [&](const std::string& line) { progress.step_output(step_id, line); };
    mounts.prepare(spec, context);
    const auto status = session_.deps.executor.run(root->rootfs(), spec, output, session_.stop);
    mounts.release();
    if (!status.success()) {
      throw Error(ErrorKind::run_failed,
                  fmt::format("RUN {}: {}{}", exit_text(status), escape_control(join(argv, " ")), output.tail()));
    }
    auto writer = new_layer();
    layer::DiffOptions options;
    if (!session_.request.preserve_timestamps) options.clamp_mtime = session_.request.source_date_epoch;
    root->write_changes(options, writer);
    std::optional<layer::WrittenLayer> written;
    if (!writer.empty()) written = writer.commit();
    if (runs_left_ > 0 || session_.deps.snapshotter == Snapshotter::overlayfs) {
      root->keep(written ? std::optional(written->layer.diff_id) : std::nullopt);
    }
    return written;
  });
}

}  // namespace tektii::builder
