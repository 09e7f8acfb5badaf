#include "cli/commands/scenario_results.hpp"

#include "cli/exit_code.hpp"
#include "cli/results/csv.hpp"
#include "cli/results/plot.hpp"
#include "cli/results/record_reader.hpp"
#include "cli/results/result_file.hpp"
#include "cli/scenario_view.hpp"
#include "cli/table.hpp"
#include "cli/terminal_sink.hpp"
#include <tektii/api/client.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/pushed_source.hpp>
#include <tektii/util/text.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

namespace tektii::cli {

namespace {

api::ResultType type_of(const std::string& name) {
  const auto* found = std::find(std::begin(api::k_result_types), std::end(api::k_result_types), name);
  return static_cast<api::ResultType>(found - std::begin(api::k_result_types));
}

// The document of one scenario, with the progress of its download on a terminal.
class Download {
 public:
  Download(const ScenarioResultsOptions& options, api::ResultType type, CommandContext& context)
      : options_(options), type_(type), context_(context), client_(context.api_client()) {}

  void to(ByteSink& sink) {
    DownloadLine line(context_);
    client_.download_results(
        options_.strategy, options_.scenario, type_, sink,
        [&](std::uint64_t received, std::optional<std::uint64_t> total) { line.show(received, total); },
        context_.stop());
  }
  // The same to read from, for what parses it.
  std::unique_ptr<ByteSource> source() {
    return make_pushed_source([this](ByteSink& sink, const std::stop_token&) { to(sink); }, context_.stop());
  }

 private:
  const ScenarioResultsOptions& options_;
  api::ResultType type_;
  CommandContext& context_;
  api::Client client_;
};

const RecordField* find_field(const std::vector<RecordField>& fields, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    for (const RecordField& field : fields) {
      if (field.name == name) return &field;
    }
  }
  return nullptr;
}

EquityCurve read_curve(ByteSource& document) {
  EquityCurve curve;
  read_records(document, [&](const std::vector<RecordField>& fields) {
    const RecordField* equity = find_field(fields, {"equity", "value", "balance"});
    const RecordField* time = find_field(fields, {"time", "timestamp", "date"});
    if (equity == nullptr || equity->text.empty()) {
      throw Error(ErrorKind::failure, fmt::format("point {} of the timeseries has no equity", curve.count() + 1))
          .add_hint("--format json gives the results as the platform sends them");
    }
    curve.add(time == nullptr ? std::string() : time->text, std::strtod(equity->text.c_str(), nullptr));
  });
  return curve;
}

int plot(const ScenarioResultsOptions& options, CommandContext& context) {
  Download download(options, api::ResultType::timeseries, context);
  const auto document = download.source();
  const EquityCurve curve = read_curve(*document);
  if (curve.empty()) throw Error(ErrorKind::failure, "the timeseries has no points to draw");
  if (!options.file.empty()) {
    ResultFile file(options.file);
    file.write(as_byte_span(plot_svg(curve, fmt::format("{} of {}", options.scenario, options.strategy))));
    file.commit();
    context.terminal.success("Wrote " + options.file);
    return k_exit_ok;
  }
  const TerminalTraits& traits = context.terminal.traits();
  context.terminal.result(plot_text(curve, {std::min<std::size_t>(traits.out_columns, 160), 12}, traits.utf8));
  return k_exit_ok;
}

void write_document(const ScenarioResultsOptions& options, ByteSink& sink, CommandContext& context) {
  const api::ResultType type = type_of(options.type);
  Download download(options, type, context);
  if (options.format == "json") return download.to(sink);
  const auto document = download.source();
  if (type == api::ResultType::metadata) return write_object_csv(*document, sink);
  write_records_csv(*document, sink);
}

// Names first, in the order in which the runs have them.
std::vector<std::string> metric_names(const std::vector<api::Scenario>& scenarios) {
  std::vector<std::string> names;
  for (const api::Scenario& scenario : scenarios) {
    for (const api::Metric& metric : scenario.metrics) {
      if (std::find(names.begin(), names.end(), metric.name) == names.end()) names.push_back(metric.name);
    }
  }
  return names;
}

std::string comparison_table(const std::vector<api::Scenario>& scenarios) {
  std::vector<std::string> header = {"Metric"};
  std::vector<std::vector<std::string>> rows = {{"State"}, {"Version"}, {"Start Time"}, {"End Time"}};
  for (const api::Scenario& scenario : scenarios) {
    header.push_back(scenario.id);
    rows[0].push_back(scenario.state);
    rows[1].push_back(scenario.strategy_version_id);
    rows[2].push_back(short_time(scenario.start_time));
    rows[3].push_back(short_time(scenario.end_time));
  }
  for (const std::string& name : metric_names(scenarios)) {
    std::vector<std::string> row = {metric_label(name)};
    for (const api::Scenario& scenario : scenarios) {
      const auto value = scenario.metric(name);
      row.push_back(value ? format_metric({name, *value}) : "-");
    }
    rows.push_back(std::move(row));
  }
  return render_table(header, rows);
}

}  // namespace

void setup_scenario_results(CLI::App& scenario, CommandContext& context) {
  CLI::App* results = scenario.add_subcommand("results", "Download what a finished run left");
  auto options = std::make_shared<ScenarioResultsOptions>();
  results->add_option("STRATEGY", options->strategy, "Id of the strategy")->required();
  results->add_option("SCENARIO", options->scenario, "Id of the scenario")->required();
  CLI::Option* type = results->add_option("--type", options->type, "metadata, timeseries or trades")
                          ->check(CLI::IsMember({"metadata", "timeseries", "trades"}));
  CLI::Option* format = results->add_option("--format", options->format, "json (as the platform sends it) or csv")
                            ->check(CLI::IsMember({"json", "csv"}))
                            ->capture_default_str();
  results->add_option("-o", options->file, "File to write [default: standard output]")->type_name("FILE");
  results->add_flag("--plot", options->plot, "Draw the equity curve; with -o FILE.svg as a picture")
      ->excludes(type)
      ->excludes(format);
  context.on_selected(*results, [options, &context] { return run_scenario_results(*options, context); });

  CLI::App* compare = scenario.add_subcommand("compare", "Put the metrics of several runs side by side");
  auto compare_options = std::make_shared<ScenarioCompareOptions>();
  compare->add_option("STRATEGY", compare_options->strategy, "Id of the strategy")->required();
  compare->add_option("SCENARIO", compare_options->scenarios, "Ids of two or more scenarios")
      ->required()
      ->expected(2, -1);
  context.on_selected(*compare,
                      [compare_options, &context] { return run_scenario_compare(*compare_options, context); });
}

int run_scenario_results(const ScenarioResultsOptions& options, CommandContext& context) {
  if (options.plot) return plot(options, context);
  if (options.type.empty()) {
    throw Error(ErrorKind::usage, "--type is required").add_hint("it is metadata, timeseries or trades");
  }
  if (options.file.empty() || options.file == "-") {
    TerminalSink sink(context.terminal);
    write_document(options, sink, context);
    sink.finish();
    return k_exit_ok;
  }
  ResultFile file(options.file);
  write_document(options, file, context);
  file.commit();
  context.terminal.success(fmt::format("Wrote {} ({})", options.file, format_bytes(file.size())));
  return k_exit_ok;
}

int run_scenario_compare(const ScenarioCompareOptions& options, CommandContext& context) {
  api::Client client = context.api_client();
  std::vector<api::Scenario> scenarios;
  std::vector<std::string> answers;
  for (const std::string& id : options.scenarios) {
    api::Answer<api::Scenario> answer = client.get_scenario(options.strategy, id, context.stop());
    scenarios.push_back(std::move(answer.value));
    answers.emplace_back(trim(answer.json));
  }
  context.print_result("[" + join(answers, ",") + "]", comparison_table(scenarios));
  return k_exit_ok;
}

}  // namespace tektii::cli
