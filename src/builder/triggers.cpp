// ONBUILD: what a base leaves to the images that are built on it.
#include "plan.hpp"
#include <tektii/util/text.hpp>

#include <fmt/format.h>

namespace tektii::builder {

Error& blame_trigger(Error& error, const Plan& plan, const PlannedStage& stage, std::string_view trigger) {
  const auto& from = stage.stage->from;
  const auto first_line = trigger.substr(0, trigger.find('\n'));
  error.add_context(fmt::format("ONBUILD {} of {}", escape_control(first_line), stage.base.written));
  return error.set_span(plan.file.span(from.lines, stage.stage->from_body().image));
}

}  // namespace tektii::builder
