#include "registry/hosts/toml_file.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace tektii::registry {

namespace {

constexpr std::size_t k_max_file = 4 << 20;

toml::table parse(const std::filesystem::path& path) {
  const auto text = read_file(path, k_max_file);
  try {
    return toml::parse(text, path.string());
  } catch (const toml::parse_error& error) {
    throw Error(ErrorKind::failure, fmt::format("{}:{}: {}", path.string(), error.source().begin.line,
                                                escape_control(error.description())));
  }
}

}  // namespace

TomlFile::TomlFile(std::filesystem::path path) : path_(std::move(path)), root_(parse(path_)) {}

std::string TomlFile::place_of(const toml::node& node) const {
  return fmt::format("{}:{}", path_.string(), node.source().begin.line);
}

void TomlFile::fail(const toml::node& node, std::string_view what) const {
  throw Error(ErrorKind::failure, fmt::format("{}: {}", place_of(node), what));
}

std::string TomlFile::text(const toml::table& table, std::string_view name) const {
  const toml::node* node = table.get(name);
  if (node == nullptr) return {};
  const auto* value = node->as_string();
  if (value == nullptr) fail(*node, fmt::format("{} must be a string", name));
  return value->get();
}

bool TomlFile::flag(const toml::table& table, std::string_view name) const {
  const toml::node* node = table.get(name);
  if (node == nullptr) return false;
  const auto* value = node->as_boolean();
  if (value == nullptr) fail(*node, fmt::format("{} must be true or false", name));
  return value->get();
}

std::vector<std::string> TomlFile::texts(const toml::node& node, std::string_view name) const {
  if (const auto* value = node.as_string()) return {value->get()};
  const auto* array = node.as_array();
  if (array == nullptr) fail(node, fmt::format("{} must be a string or an array of strings", name));
  std::vector<std::string> values;
  for (const toml::node& item : *array) {
    const auto* value = item.as_string();
    if (value == nullptr) fail(item, fmt::format("{} must hold strings", name));
    values.push_back(value->get());
  }
  return values;
}

std::vector<const toml::table*> TomlFile::tables(const toml::table& table, std::string_view name) const {
  const toml::node* node = table.get(name);
  if (node == nullptr) return {};
  const auto* array = node->as_array();
  if (array == nullptr) fail(*node, fmt::format("{} must be an array of tables, as [[{}]] makes it", name, name));
  std::vector<const toml::table*> found;
  for (const toml::node& item : *array) {
    const auto* entry = item.as_table();
    if (entry == nullptr) fail(item, fmt::format("{} must hold tables", name));
    found.push_back(entry);
  }
  return found;
}

void TomlFile::warn_of_unknown(const toml::table& table, std::initializer_list<std::string_view> known) const {
  for (const auto& [key, value] : table) {
    if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
    spdlog::warn("{}: the setting {} is not known and does nothing", place_of(value), escape_control(key.str()));
  }
}

}  // namespace tektii::registry
