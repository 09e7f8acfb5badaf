#include "call_json.hpp"

#include <tektii/util/text.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace tektii::cli {
namespace {

using Json = nlohmann::ordered_json;

Json location(int first, int last) {
  Json ranges = Json::array();
  for (int line = first; line <= std::max(first, last); ++line) {
    ranges.push_back({{"start", {{"line", line}}}, {"end", {{"line", line}}}});
  }
  return {{"ranges", std::move(ranges)}};
}

Json location(const dockerfile::LineRange& lines) {
  return location(lines.first, lines.last);
}

void add_text(Json& json, const char* key, const std::string& value) {
  if (!value.empty()) json[key] = value;
}

// A Dockerfile may hold bytes that are no UTF-8.
std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json mounts_json(const std::vector<dockerfile::OutlineMount>& mounts, const char* name_key) {
  Json list = Json::array();
  for (const auto& mount : mounts) {
    Json entry = {{name_key, mount.name}};
    if (mount.required) entry["required"] = true;
    entry["location"] = location(mount.lines);
    list.push_back(std::move(entry));
  }
  return list;
}

Json sources(const builder::BuildRequest& request) {
  return Json::array({base64_encode(request.dockerfile_text)});
}

Json build_error(const Error& error) {
  Json json = {{"message", error.what()}};
  json["location"] = error.span() && error.span()->first_line > 0
                         ? location(error.span()->first_line, error.span()->last_line)
                         : Json::object();
  return json;
}

}  // namespace

std::string check_json(const builder::DockerfileCheck& check, const builder::BuildRequest& request) {
  Json warnings = Json::array();
  for (const auto& warning : check.report.warnings) {
    const auto& rule = dockerfile::info_of(warning.rule);
    warnings.push_back({{"ruleName", rule.name},
                        {"description", rule.description},
                        {"detail", warning.message},
                        {"location", location(warning.lines)}});
  }
  Json json = {{"warnings", std::move(warnings)}};
  json["sources"] = Json::array({{{"filename", request.dockerfile_name},
                                  {"data", base64_encode(request.dockerfile_text)},
                                  {"language", "Dockerfile"}}});
  if (check.report.problem) {
    json["buildError"] = build_error(*check.report.problem);
  } else if (const auto violation = dockerfile::violation_message(check.report); !violation.empty()) {
    json["buildError"] = {{"message", violation}, {"location", Json::object()}};
  }
  return dump(json);
}

std::string outline_json(const dockerfile::Outline& outline, const builder::BuildRequest& request) {
  Json json = Json::object();
  add_text(json, "name", outline.name);
  add_text(json, "description", outline.description);
  Json args = Json::array();
  for (const auto& arg : outline.args) {
    Json entry = {{"name", arg.name}};
    add_text(entry, "description", arg.description);
    add_text(entry, "value", arg.value);
    entry["location"] = location(arg.lines);
    args.push_back(std::move(entry));
  }
  if (!args.empty()) json["args"] = std::move(args);
  if (!outline.secrets.empty()) json["secrets"] = mounts_json(outline.secrets, "name");
  if (!outline.ssh.empty()) json["ssh"] = mounts_json(outline.ssh, "name");
  if (!outline.caches.empty()) json["cache"] = mounts_json(outline.caches, "ID");
  json["sources"] = sources(request);
  return dump(json);
}

std::string targets_json(const std::vector<dockerfile::OutlineTarget>& targets, const builder::BuildRequest& request) {
  Json list = Json::array();
  for (const auto& target : targets) {
    Json entry = Json::object();
    add_text(entry, "name", target.name);
    if (target.is_default) entry["default"] = true;
    add_text(entry, "description", target.description);
    add_text(entry, "base", target.base);
    add_text(entry, "platform", target.platform);
    entry["location"] = location(target.lines);
    list.push_back(std::move(entry));
  }
  return dump({{"targets", std::move(list)}, {"sources", sources(request)}});
}

}  // namespace tektii::cli
