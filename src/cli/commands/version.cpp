#include "cli/commands/version.hpp"

#include "cli/commands/version_upload.hpp"
#include "cli/exit_code.hpp"
#include "cli/table.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <utility>
#include <vector>

namespace tektii::cli {

namespace {

std::string record_of(const api::Version& version) {
  std::vector<std::pair<std::string, std::string>> fields = {{"Version ID", version.id}};
  const std::pair<std::string, std::string> optional_fields[] = {{"Strategy ID", version.strategy_id},
                                                                 {"Git SHA", version.git_sha},
                                                                 {"Parent Version ID", version.parent_version_id},
                                                                 {"Template", version.template_name},
                                                                 {"Status", version.status},
                                                                 {"Image", version.image},
                                                                 {"Created At", version.created_at}};
  for (const auto& field : optional_fields) {
    if (!field.second.empty()) fields.push_back(field);
  }
  return render_record(fields);
}

}  // namespace

void setup_version(CLI::App& root, CommandContext& context, std::shared_ptr<ImageBuilder> builder) {
  CLI::App* version = root.add_subcommand("version", "Upload and list versions of a strategy");
  version->require_subcommand(1);
  setup_version_upload(*version, context, std::move(builder));

  CLI::App* list = version->add_subcommand("list", "List the versions of a strategy");
  auto list_options = std::make_shared<VersionListOptions>();
  list->add_option("STRATEGY", list_options->strategy, "Id of the strategy")->required();
  add_list_options(*list, list_options->page);
  context.on_selected(*list, [list_options, &context] { return run_version_list(*list_options, context); });

  CLI::App* get = version->add_subcommand("get", "Show one version");
  auto get_options = std::make_shared<VersionGetOptions>();
  get->add_option("STRATEGY", get_options->strategy, "Id of the strategy")->required();
  get->add_option("VERSION", get_options->version, "Id of the version")->required();
  context.on_selected(*get, [get_options, &context] { return run_version_get(*get_options, context); });
}

int run_version_list(const VersionListOptions& options, CommandContext& context) {
  api::Client client = context.api_client();
  const auto answer = fetch_pages(options.page, "versions", [&](const api::ListRequest& request) {
    return client.list_versions(options.strategy, request, context.stop());
  });
  std::vector<std::vector<std::string>> rows;
  for (const api::Version& one : answer.value.items) rows.push_back({one.id, one.git_sha, short_time(one.created_at)});
  context.print_result(answer.json, rows.empty() ? "" : render_table({"ID", "Git SHA", "Created"}, rows));
  note_page(context, rows.empty(), "versions", answer.value.next_cursor);
  return k_exit_ok;
}

int run_version_get(const VersionGetOptions& options, CommandContext& context) {
  const auto answer = context.api_client().get_version(options.strategy, options.version, context.stop());
  context.print_result(answer.json, record_of(answer.value));
  return k_exit_ok;
}

}  // namespace tektii::cli
