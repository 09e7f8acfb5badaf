#include "build_times.hpp"

#include "cli/table.hpp"
#include "transfer.hpp"
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <utility>

namespace tektii::cli {
namespace {

using builder::Activity;
using builder::StepOutcome;
using std::chrono::milliseconds;

constexpr std::size_t k_widest_title = 36;  // so that the table has at most 80 columns

// In the order in which a build comes to them. What is left out takes no time of its own.
constexpr std::array<std::pair<Activity, std::string_view>, 9> k_rows = {{
    {Activity::look_up, "look images up"},
    {Activity::download, "download"},
    {Activity::read_files, "read files"},
    {Activity::prepare, "prepare steps"},
    {Activity::unpack, "unpack"},
    {Activity::run, "run commands"},
    {Activity::write_layer, "write layers"},
    {Activity::write_output, "write outputs"},
    {Activity::upload, "push"},
}};

milliseconds in_milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<milliseconds>(time);
}

std::string outcome_text(StepOutcome outcome, milliseconds took) {
  switch (outcome) {
    case StepOutcome::cached:
      return "cached";
    case StepOutcome::canceled:
      return "canceled";
    default:
      return format_duration(took.count());
  }
}

}  // namespace

BuildTimes::BuildTimes(builder::ProgressSink& next, ProgressClock now)
    : next_(next), now_(std::move(now)), started_(now_()) {}

int BuildTimes::step_started(std::string_view title) {
  const int id = next_.step_started(title);
  const std::lock_guard lock(mutex_);
  Step& step = running_[id];
  step.title = std::string(title);
  enter(step, Activity::other);
  return id;
}

void BuildTimes::enter(Step& step, Activity activity) {
  step.activity = activity;
  step.done = 0;
  if (activity == Activity::look_in_cache) step.is_instruction = true;
  Tally& tally = tally_of(activity);
  if (tally.going_on++ == 0) tally.since = now_();
  ++tally.times;
}

void BuildTimes::leave(Step& step) {
  Tally& tally = tally_of(step.activity);
  tally.bytes += step.done;
  if (--tally.going_on == 0) tally.busy += now_() - tally.since;
}

void BuildTimes::step_progress(int step_id, const builder::StepProgress& progress) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(step_id);
    if (found != running_.end()) {
      Step& step = found->second;
      if (step.activity != progress.activity) {
        leave(step);
        enter(step, progress.activity);
      }
      step.done = progress.done;
      if (step.activity == Activity::write_layer) instructions_[step_id].written = progress.done;
    }
  }
  next_.step_progress(step_id, progress);
}

void BuildTimes::step_finished(int step_id, StepOutcome outcome, milliseconds took) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(step_id);
    if (found != running_.end()) {
      Step& step = found->second;
      leave(step);
      if (step.is_instruction) {
        Instruction& instruction = instructions_[step_id];
        instruction.title = std::move(step.title);
        instruction.outcome = outcome;
        instruction.took = took;
      }
      running_.erase(found);
    }
  }
  next_.step_finished(step_id, outcome, took);
}

std::string BuildTimes::table() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::vector<std::string>> rows;
  for (const auto& [activity, name] : k_rows) {
    const Tally& tally = tallies_.at(static_cast<std::size_t>(activity));
    if (tally.times == 0) continue;
    const auto time = in_milliseconds(tally.busy);
    const bool moved = tally.bytes > 0;
    rows.push_back({std::string(name), format_duration(time.count()), moved ? format_bytes(tally.bytes) : "",
                    moved ? format_rate(tally.bytes, time) : ""});
  }
  int hits = 0;
  int misses = 0;
  for (const auto& [id, step] : instructions_) {
    (step.outcome == StepOutcome::cached ? hits : misses) += 1;
    rows.push_back({fit_line(step.title, k_widest_title), outcome_text(step.outcome, step.took),
                    step.written > 0 ? format_bytes(step.written) : "", ""});
  }
  rows.push_back({"all in all", format_duration(in_milliseconds(now_() - started_).count()), "", ""});
  return render_table({"Where the time went", "Time", "Bytes", "Rate"}, rows) +
         fmt::format("Cache: {} of {} steps were cached", hits, hits + misses);
}

}  // namespace tektii::cli
