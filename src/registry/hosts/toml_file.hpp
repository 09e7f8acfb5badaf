#pragma once

#include <toml++/toml.h>

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::registry {

// A TOML file of the machine's configuration. Whatever is wrong with it is thrown as Error{failure} "FILE:LINE: what".
class TomlFile {
 public:
  // Reads and parses it.
  explicit TomlFile(std::filesystem::path path);

  const toml::table& root() const { return root_; }
  const std::filesystem::path& path() const { return path_; }

  // "FILE:LINE" of a value.
  std::string place_of(const toml::node& node) const;
  [[noreturn]] void fail(const toml::node& node, std::string_view what) const;

  // The value under a name, or what stands for it when there is none. Throws when it is of another type.
  std::string text(const toml::table& table, std::string_view name) const;
  bool flag(const toml::table& table, std::string_view name) const;
  // A string, or an array of strings.
  std::vector<std::string> texts(const toml::node& node, std::string_view name) const;
  // The tables of an array of tables; a missing one is empty.
  std::vector<const toml::table*> tables(const toml::table& table, std::string_view name) const;

  // Warns of names that nobody reads: a slip of the pen would otherwise be a setting that does nothing.
  void warn_of_unknown(const toml::table& table, std::initializer_list<std::string_view> known) const;

 private:
  std::filesystem::path path_;
  toml::table root_;
};

}  // namespace tektii::registry
