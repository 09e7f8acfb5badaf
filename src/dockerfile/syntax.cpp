#include "dockerfile/syntax.hpp"

#include "dockerfile/directive.hpp"
#include <tektii/util/text.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>

namespace tektii::dockerfile {
namespace {

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

}  // namespace

std::optional<std::string> detect_foreign_syntax(std::string_view text) {
  if (text.starts_with(k_byte_order_mark)) text.remove_prefix(k_byte_order_mark.size());
  if (text.starts_with("#!")) take_line(text);
  for (std::string_view rest = text; !rest.empty();) {
    const auto directive = parse_directive(take_line(rest), "//");
    if (!directive) break;
    if (directive->key == "syntax") return directive->value;
  }
  if (!trim(text).starts_with('{')) return std::nullopt;
  const nlohmann::json object = nlohmann::json::parse(text, nullptr, false);
  if (!object.is_object()) return std::nullopt;
  const auto syntax = object.find("syntax");
  if (syntax == object.end() || !syntax->is_string()) return std::nullopt;
  return syntax->get<std::string>();
}

bool is_dockerfile_frontend(std::string_view syntax) {
  syntax = syntax.substr(0, syntax.find(' '));
  if (syntax.starts_with("docker.io/")) syntax.remove_prefix(10);
  const std::string_view name = syntax.substr(0, syntax.find_first_of(":@"));
  return name == "docker/dockerfile" || name == "docker/dockerfile-upstream" || name == "dockerfile.v0";
}

}  // namespace tektii::dockerfile
