#include "transfer.hpp"

#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <array>

namespace tektii::cli {
namespace {

using builder::Activity;
using std::chrono::milliseconds;

constexpr milliseconds k_window{3000};       // over which the rate of something that goes on is taken
constexpr milliseconds k_shortest_rate{10};  // below this a rate is noise

struct Words {
  std::string_view name;  // in json
  std::string_view running;
  std::string_view finished;
  std::string_view brief;  // while it runs, where there is little room; what a title says already is left out
};

const Words& words_of(Activity activity) {
  static constexpr std::array<Words, 11> k_words = {{
      {"other", "working", "worked", ""},
      {"look_up", "looking up", "looked up", ""},
      {"download", "downloading", "downloaded", ""},
      {"look_in_cache", "looking in the cache", "looked in the cache", ""},
      {"read_files", "reading", "read", "reading"},
      {"prepare", "preparing", "prepared", "preparing"},
      {"unpack", "unpacking", "unpacked", "unpacking"},
      {"run", "running", "ran", ""},
      {"write_layer", "writing", "wrote", "writing"},
      {"upload", "pushing", "pushed", ""},
      {"write_output", "writing", "wrote", ""},
  }};
  return k_words.at(static_cast<std::size_t>(activity));
}

std::string joined(std::string_view first, const std::string& second) {
  if (first.empty() || second.empty()) return std::string(first) + second;
  return fmt::format("{} {}", first, second);
}

}  // namespace

std::string format_rate(std::uint64_t bytes, milliseconds took) {
  if (took < k_shortest_rate) return {};
  return format_bytes(bytes * 1000 / static_cast<std::uint64_t>(took.count())) + "/s";
}

std::string_view activity_name(Activity activity) {
  return words_of(activity).name;
}

milliseconds Transfer::took(TimePoint now) const {
  return std::chrono::duration_cast<milliseconds>(now - started_);
}

void Transfer::update(const builder::StepProgress& progress, TimePoint now) {
  if (progress.done < done_) samples_.clear();  // it began anew
  done_ = progress.done;
  total_ = progress.total;
  samples_.push_back({now, done_});
  while (samples_.size() > 2 && now - samples_.front().time > k_window) samples_.pop_front();
}

std::optional<double> Transfer::recent_rate(TimePoint now) const {
  if (samples_.empty()) return std::nullopt;
  const auto& first = samples_.front();
  const auto time = std::chrono::duration<double>(now - first.time).count();
  if (time < 0.2) return std::nullopt;
  return static_cast<double>(done_ - first.done) / time;
}

std::string Transfer::running_text(TimePoint now) const {
  std::string text = fmt::format("{} {}", words_of(activity_).running, format_bytes(done_));
  if (total_ > 0) text += " of " + format_bytes(total_);
  if (const auto rate = recent_rate(now))
    text += fmt::format(", {}/s", format_bytes(static_cast<std::uint64_t>(*rate)));
  return text;
}

std::string Transfer::finished_text(TimePoint now) const {
  const auto time = took(now);
  auto text =
      fmt::format("{} {} in {}", words_of(activity_).finished, format_bytes(done_), format_duration(time.count()));
  if (const auto rate = format_rate(done_, time); !rate.empty()) text += ", " + rate;
  return text;
}

std::string Transfer::short_text(TimePoint now, std::size_t columns) const {
  const auto verb = words_of(activity_).brief;
  if (done_ == 0 && total_ == 0) return display_width(verb) <= columns ? std::string(verb) : std::string{};
  const auto bytes = format_bytes(done_);
  const auto of_total = total_ > 0 ? fmt::format("{} of {}", bytes, format_bytes(total_)) : bytes;
  const auto rate = recent_rate(now);
  const auto at = rate ? fmt::format("  {}/s", format_bytes(static_cast<std::uint64_t>(*rate))) : std::string{};
  for (const auto& text : {joined(verb, of_total) + at, joined(verb, of_total), bytes}) {
    if (display_width(text) <= columns) return text;
  }
  return {};
}

}  // namespace tektii::cli
