#include "registry/json_edit.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <utility>

namespace tektii::registry {

namespace {

using Json = nlohmann::json;

struct Member {
  std::string key;
  std::size_t begin = 0;  // of the key's quote
  std::size_t value = 0;
  std::size_t end = 0;  // behind the value
};

struct Object {
  std::size_t open = 0;
  std::size_t close = 0;
  std::vector<Member> members;

  // The one that counts: the last of its name.
  const Member* find(std::string_view key) const {
    for (auto member = members.rbegin(); member != members.rend(); ++member) {
      if (member->key == key) return &*member;
    }
    return nullptr;
  }
};

// Finds out where things are in a text that is known to be valid.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Object object_at(std::size_t open) const {
    Object object;
    object.open = open;
    std::size_t at = skip_space(open + 1);
    while (char_at(at) == '"') {
      Member member;
      member.begin = at;
      at = end_of_string(at);
      member.key = Json::parse(text_.substr(member.begin, at - member.begin)).get<std::string>();
      member.value = skip_space(skip_space(at) + 1);
      member.end = end_of_value(member.value);
      at = skip_space(member.end);
      object.members.push_back(std::move(member));
      if (char_at(at) == ',') at = skip_space(at + 1);
    }
    object.close = at;
    return object;
  }

  std::size_t skip_space(std::size_t at) const {
    while (at < text_.size() && (text_[at] == ' ' || text_[at] == '\t' || text_[at] == '\r' || text_[at] == '\n')) ++at;
    return at;
  }

 private:
  char char_at(std::size_t at) const {
    if (at >= text_.size()) throw Error(ErrorKind::failure, "the JSON text ends too early");
    return text_[at];
  }

  std::size_t end_of_string(std::size_t at) const {
    for (++at; char_at(at) != '"'; ++at) {
      if (text_[at] == '\\') ++at;
    }
    return at + 1;
  }

  std::size_t end_of_value(std::size_t at) const {
    const char first = char_at(at);
    if (first == '"') return end_of_string(at);
    if (first != '{' && first != '[') return std::min(text_.find_first_of(",]} \t\r\n", at), text_.size());
    int depth = 0;
    while (true) {
      const char c = char_at(at);
      if (c == '"') {
        at = end_of_string(at);
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at;
      if (depth == 0) return at;
    }
  }

  std::string_view text_;
};

// The white space before a member that begins its line; nullopt when it does not.
std::optional<std::string> indent_of(std::string_view text, const Object& object) {
  if (object.members.empty()) return std::nullopt;
  const std::size_t begin = object.members.front().begin;
  const std::size_t line = text.rfind('\n', begin);
  if (line == std::string_view::npos || line < object.open) return std::nullopt;
  return std::string(text.substr(line + 1, begin - line - 1));
}

std::string quoted(const std::string& text) {
  return Json(text).dump();
}

// How the file is laid out: one member a line, or everything on one line.
struct Style {
  bool lines = true;
  std::string unit = "\t";  // as docker writes it

  std::string indent(int depth) const {
    std::string text;
    for (int i = 0; i < depth; ++i) text += unit;
    return text;
  }
  // An object whose members stand `depth` deep.
  std::string object(const std::vector<std::string>& members, int depth) const {
    if (members.empty()) return "{}";
    if (!lines) return "{" + join(members, ", ") + "}";
    const std::string separator = ",\n" + indent(depth);
    return "{\n" + indent(depth) + join(members, separator) + "\n" + indent(depth - 1) + "}";
  }
};

Style style_of(std::string_view text, const Object& root) {
  if (root.members.empty()) return {};
  const auto indent = indent_of(text, root);
  return indent ? Style{true, indent->empty() ? "\t" : *indent} : Style{false, ""};
}

std::string replaced(std::string_view text, std::size_t begin, std::size_t end, std::string_view by) {
  return std::string(text.substr(0, begin)) + std::string(by) + std::string(text.substr(end));
}

// Adds "key: value" behind the last member of an object whose members stand `depth` deep.
std::string with_member(std::string_view text, const Object& object, const Style& style, int depth,
                        const std::string& member) {
  if (object.members.empty()) return replaced(text, object.open, object.close + 1, style.object({member}, depth));
  const auto own = indent_of(text, object);
  const std::string gap = own ? ",\n" + *own : ", ";
  return replaced(text, object.members.back().end, object.members.back().end, gap + member);
}

std::string without_member(std::string_view text, const Object& object, std::size_t index) {
  const auto& members = object.members;
  if (members.size() == 1) return replaced(text, object.open, object.close + 1, "{}");
  if (index + 1 < members.size()) return replaced(text, members[index].begin, members[index + 1].begin, "");
  return replaced(text, members[index - 1].end, members[index].end, "");
}

}  // namespace

std::string with_auth_entry(std::string_view json, const std::string& key,
                            const std::vector<std::pair<std::string, std::string>>& members) {
  const std::string text = trim(json).empty() ? "{}\n" : std::string(json);
  const Scanner scanner(text);
  const Object root = scanner.object_at(text.find('{'));
  const Style style = style_of(text, root);
  std::vector<std::string> lines;
  for (const auto& [name, value] : members) lines.push_back(quoted(name) + ": " + quoted(value));
  const std::string value = style.object(lines, 3);
  const std::string entry = quoted(key) + ": " + value;
  const Member* auths = root.find("auths");
  if (auths == nullptr) return with_member(text, root, style, 1, "\"auths\": " + style.object({entry}, 2));
  if (text[auths->value] != '{') return replaced(text, auths->value, auths->end, style.object({entry}, 2));
  const Object entries = scanner.object_at(auths->value);
  if (const Member* old = entries.find(key)) return replaced(text, old->value, old->end, value);
  return with_member(text, entries, style, 2, entry);
}

std::string without_auth_entry(std::string_view json, const std::string& key) {
  std::string text(json);
  while (!trim(text).empty()) {
    const Scanner scanner(text);
    const Object root = scanner.object_at(text.find('{'));
    const Member* auths = root.find("auths");
    if (auths == nullptr || text[auths->value] != '{') break;
    const Object entries = scanner.object_at(auths->value);
    const Member* found = entries.find(key);
    if (found == nullptr) break;
    text = without_member(text, entries, static_cast<std::size_t>(found - entries.members.data()));
  }
  return text;
}

}  // namespace tektii::registry
