#pragma once

#include "accounts.hpp"
#include "base_images.hpp"
#include "cache_import.hpp"
#include "copy_source.hpp"
#include "layer_stack.hpp"
#include "metered_blobs.hpp"
#include "plan.hpp"
#include "run_root.hpp"
#include "sealed_layers.hpp"
#include "step_cache.hpp"
#include "step_mounts.hpp"
#include "step_runs.hpp"
#include "variables.hpp"
#include <tektii/builder/build.hpp>
#include <tektii/layer/layer_writer.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

namespace tektii::builder {

// A stage, or an image that a --from names, as far as it is built.
struct StageState {
  StageState(const LayerStack& layer_stack, Variables scope) : stack(layer_stack), variables(std::move(scope)) {}

  LayerStack stack;
  Variables variables;
  oci::ImageConfig config;
  std::string base_name;
  std::optional<oci::Digest> base_digest;
  CacheRecords records;  // of its steps and those of the stages below
};

// What the stages of one build share. Both maps have their keys before the first stage begins; a stage reads those that
// its plan says it needs, which are finished by then, so that no thread needs a lock.
struct BuildSession {
  const BuildRequest& request;
  const BuildDeps& deps;
  const Plan& plan;
  BlobFetcher& fetcher;
  SealedLayers& sealed;
  ImportedCaches& caches;
  std::stop_token stop;                                            // also stopped when another stage fails
  std::map<int, std::shared_ptr<StageState>> stages = {};          // finished ones; nullptr until then
  std::map<std::string, std::shared_ptr<StageState>> images = {};  // by the name that they are opened with

  std::function<bool()> was_stopped() const {
    return [token = stop] { return token.stop_requested(); };
  }

  std::shared_ptr<BindFiles> bind_files = std::make_shared<BindFiles>();  // of mounts, written once for all stages
  std::shared_ptr<StepRuns> step_runs = std::make_shared<StepRuns>();     // each step once for all stages
};

// Makes the images that were looked up states to build on or copy from.
void add_images(BuildSession& session, const OpenedImages& images);

// The state of an image of the plan.
std::shared_ptr<StageState> open_image(BuildSession& session, const std::string& name);

// Runs the instructions of one stage on top of its base.
class StageBuilder {
 public:
  StageBuilder(BuildSession& session, int index);
  std::shared_ptr<StageState> build();

 private:
  using Instruction = dockerfile::Instruction;

  void begin();
  void start_empty();
  void add_directory_base();
  void run_instructions(std::span<const Instruction> instructions, bool are_triggers);
  void apply(const Instruction& instruction);

  // One per kind of instruction. Those that change files are in step_*.cpp, the others in stage_config.cpp.
  void apply_body(const Instruction& instruction, const dockerfile::Arg& arg);
  void apply_body(const Instruction& instruction, const dockerfile::Env& env);
  void apply_body(const Instruction& instruction, const dockerfile::Label& label);
  void apply_body(const Instruction& instruction, const dockerfile::Maintainer& maintainer);
  void apply_body(const Instruction& instruction, const dockerfile::User& user);
  void apply_body(const Instruction& instruction, const dockerfile::Expose& expose);
  void apply_body(const Instruction& instruction, const dockerfile::Volume& volume);
  void apply_body(const Instruction& instruction, const dockerfile::StopSignal& stop_signal);
  void apply_body(const Instruction& instruction, const dockerfile::Shell& shell);
  void apply_body(const Instruction& instruction, const dockerfile::Cmd& cmd);
  void apply_body(const Instruction& instruction, const dockerfile::Entrypoint& entrypoint);
  void apply_body(const Instruction& instruction, const dockerfile::HealthcheckInstruction& healthcheck);
  void apply_body(const Instruction& instruction, const dockerfile::Onbuild& onbuild);
  void apply_body(const Instruction& instruction, const dockerfile::From& from);
  void apply_body(const Instruction& instruction, const dockerfile::Workdir& workdir);
  void apply_body(const Instruction& instruction, const dockerfile::Run& run);
  void apply_body(const Instruction& instruction, const dockerfile::Copy& copy);

  std::string expanded(const Instruction& instruction, std::string_view word) const;
  std::vector<std::string> command_argv(const dockerfile::CommandLine& command) const;
  std::vector<std::string> run_environment(const std::string& home) const;
  exec::RunSpec run_spec(const dockerfile::Run& run, const std::vector<std::string>& extra_env);
  StepMounts run_mounts(const Instruction& instruction, const dockerfile::Run& run);
  MountSource mount_source(const RunMount& mount);
  void add_surroundings(KeyBuilder& key, const dockerfile::Run& run) const;
  std::unique_ptr<CopySource> copy_source(const dockerfile::Copy& copy);
  const LayerStack* stack_of(const dockerfile::Copy& copy);  // that --from names; nullptr for other sources
  std::optional<std::string> copy_question(const dockerfile::Copy& words);
  dockerfile::Copy expanded_copy(const Instruction& instruction, const dockerfile::Copy& copy) const;
  AccountFiles account_files();
  std::string read_account_file(const std::string& path);
  std::string absolute(const std::string& path) const;  // against WORKDIR, cleaned
  std::int64_t new_file_mtime() const;

  // A step that changes files, as it is shown from now on. What makes its key may take long.
  ProgressStep start_step(const Instruction& instruction);
  // Takes the layer from the cache or from another stage of this build, or makes it; puts it on the stack and writes
  // the history entry. `make` returns nullopt when the step changes nothing.
  using MakeLayer = std::function<std::optional<layer::WrittenLayer>(int step_id)>;
  void finish_step(ProgressStep& step, const StepKey& key, const std::string& created_by, const MakeLayer& make);
  // Both.
  void run_step(const Instruction& instruction, const StepKey& key, const std::string& created_by,
                const MakeLayer& make);
  StepResult find_or_make(const StepKey& key, ProgressStep& step, const MakeLayer& make);
  std::optional<StepResult> find_known(const std::string& key);
  // What `work` gives, where that follows from `question` alone; remembered like a step.
  std::string known_content(const std::string& question, const std::function<std::string()>& work);
  void add_history(const std::string& created_by, bool empty_layer);
  layer::LayerWriter new_layer();
  std::string compression_key() const;

  BuildSession& session_;
  int index_;
  const PlannedStage& planned_;
  std::shared_ptr<StageState> state_;
  bool cmd_in_this_stage_ = false;
  bool in_trigger_ = false;
  std::optional<MeteredBlobs> step_blobs_;  // where the step that runs writes its layer
  int file_steps_ = 0;                      // instructions of the stage that change files, for "2/5"
  int file_step_ = 0;
  int runs_left_ = 0;  // that were not begun yet
  StageTree tree_;
};

}  // namespace tektii::builder
