#include "base_images.hpp"

#include "check.hpp"
#include "reported_image.hpp"
#include <tektii/util/parallel.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace tektii::builder {
namespace {

constexpr std::size_t k_lookups_at_once = 8;

// Says in an error where the Dockerfile names the image. What looks like a stage is more often one than an image that
// does not exist.
void blame_image(Error& error, const Plan& plan, const std::string& name) {
  if (error.kind() == ErrorKind::interrupted) return;
  if (!error.span()) error.set_span(plan.image_uses.at(name).span);
  if (find_stage(plan.file, name, static_cast<int>(plan.file.stages.size()))) {
    error.add_hint(fmt::format("the stage {} comes later in {}: FROM sees the stages above it", name, plan.file.name));
    return;
  }
  std::vector<std::string> names;
  for (const auto& stage : plan.file.stages) {
    if (!stage.name.empty()) names.push_back(stage.name);
  }
  if (const auto match = closest_match(name, names)) error.add_hint(fmt::format("did you mean the stage {}?", *match));
}

void look_up(OpenedImages& images, const Plan& plan, const BuildRequest& request, const BuildDeps& deps,
             const std::stop_token& stop) {
  std::vector<std::string> missing;
  for (const auto& name : plan.images) {
    if (!images.contains(name)) missing.push_back(name);
  }
  std::vector<std::optional<OpenedImage>> found(missing.size());
  for_each_in_parallel(missing.size(), k_lookups_at_once, stop, [&](std::size_t i, const std::stop_token& token) {
    ProgressStep report(deps.progress, fmt::format("[internal] look up {}", plan.image_uses.at(missing[i]).written),
                        [token] { return token.stop_requested(); });
    try {
      report.begin(Activity::look_up);
      auto source = report_fetches(deps.open_image(missing[i]), deps.progress);
      auto resolved = source->resolve(request.platform, token);
      found[i] = OpenedImage{std::move(source), std::move(resolved)};
    } catch (Error& error) {
      blame_image(error, plan, missing[i]);
      throw;
    }
    report.finish(StepOutcome::done);
  });
  for (std::size_t i = 0; i < missing.size(); ++i) images.emplace(missing[i], std::move(*found[i]));
}

// True when triggers were added, which may need images that were not looked up yet.
bool add_triggers(Plan& plan, const OpenedImages& images, const BuildRequest& request, const BuildDeps& deps,
                  Problems& problems) {
  std::vector<int> built_on_images;
  for (const auto& [index, stage] : plan.stages) {
    if (stage.base.kind == SourceName::Kind::image && !stage.replaced && !stage.has_image_triggers) {
      built_on_images.push_back(index);
    }
  }
  bool any = false;
  for (const int index : built_on_images) {
    auto& stage = plan.stages.at(index);
    stage.has_image_triggers = true;
    const auto& config = images.at(stage.base.name).resolved.config;
    if (config.config.on_build.empty()) continue;
    plan_triggers(plan, request, index, config.config.on_build, problems);
    check_triggers(plan, request, deps, problems, index, config.config.env);
    any = true;
  }
  return any;
}

// The image that a stage stands on, through the stages between; nullptr when it begins empty.
const OpenedImage* image_below(const Plan& plan, const OpenedImages& images, const PlannedStage& stage) {
  const auto* base = &stage.base;
  while (base->kind == SourceName::Kind::stage) base = &plan.stages.at(base->stage).base;
  return base->kind == SourceName::Kind::image ? &images.at(base->name) : nullptr;
}

const dockerfile::Instruction* first_run(std::span<const dockerfile::Instruction> instructions) {
  const auto run = std::find_if(instructions.begin(), instructions.end(), [](const auto& instruction) {
    return std::holds_alternative<dockerfile::Run>(instruction.body);
  });
  return run == instructions.end() ? nullptr : &*run;
}

// Layers that are there twice are stacked once. Those that steps will add are not counted: a step may change nothing.
void check_layer_counts(const Plan& plan, const OpenedImages& images, Problems& problems) {
  for (const auto& [index, stage] : plan.stages) {
    const auto* trigger = first_run(stage.triggers);
    const auto* run = first_run(stage.instructions());
    const auto* image = trigger != nullptr || run != nullptr ? image_below(plan, images, stage) : nullptr;
    if (image == nullptr) continue;
    std::set<oci::Digest> layers;
    for (const auto& layer : image->resolved.layers) layers.insert(layer.diff_id);
    if (layers.size() <= exec::k_most_lower_dirs) continue;
    Error error(ErrorKind::failure, fmt::format("RUN is not possible on {} layers: overlayfs stacks at most {}",
                                                layers.size(), exec::k_most_lower_dirs));
    error.add_hint("build on an image with fewer layers");
    if (trigger != nullptr) {
      problems.add(blame_trigger(error, plan, stage, trigger->original));
    } else {
      problems.add(error.set_span(plan.file.span(*run)));
    }
  }
}

}  // namespace

OpenedImages complete_plan(Plan& plan, const BuildRequest& request, const BuildDeps& deps,
                           const std::stop_token& stop) {
  OpenedImages images;
  std::set<int> checked;
  for (const auto& [index, stage] : plan.stages) checked.insert(index);
  for (bool again = true; again;) {
    look_up(images, plan, request, deps, stop);
    Problems problems;
    again = add_triggers(plan, images, request, deps, problems);
    for (const auto& [index, stage] : plan.stages) {
      if (checked.insert(index).second) check_stage(plan, request, deps, problems, index);
    }
    if (!again) check_layer_counts(plan, images, problems);
    problems.throw_if_any();
  }
  return images;
}

}  // namespace tektii::builder
