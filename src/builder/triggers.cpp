// ONBUILD: what a base leaves to the images that are built on it.
#include "plan.hpp"
#include "reach.hpp"
#include <tektii/util/text.hpp>

#include <fmt/format.h>

namespace tektii::builder {

Error& blame_trigger(Error& error, const Plan& plan, const PlannedStage& stage, std::string_view trigger) {
  const auto& from = stage.stage->from;
  const auto first_line = trigger.substr(0, trigger.find('\n'));
  error.add_context(fmt::format("ONBUILD {} of {}", escape_control(first_line), stage.base.written));
  return error.set_span(plan.file.span(from.lines, stage.stage->from_body().image));
}

void plan_triggers(Plan& plan, const BuildRequest& request, int index, const std::vector<std::string>& triggers,
                   Problems& problems) {
  auto& stage = plan.stages.at(index);
  for (const auto& text : triggers) {
    try {
      auto instruction = dockerfile::parse_trigger(text, stage.base.written);
      instruction.lines = stage.stage->from.lines;
      stage.triggers.push_back(std::move(instruction));
    } catch (Error& error) {
      problems.add(blame_trigger(error, plan, stage, text));
    }
  }
  reach_sources(plan, request, index, stage, true, problems);
}

}  // namespace tektii::builder
