#include "accounts.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tektii::builder {
namespace {

struct PasswdEntry {
  std::string name;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string home;
};

struct GroupEntry {
  std::string name;
  std::uint32_t gid = 0;
  std::vector<std::string> members;
};

std::optional<std::uint32_t> parse_id(std::string_view text) {
  const auto value = parse_int(text);
  if (!value || *value < 0 || *value > 4294967294LL) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

// Fields at the end may be missing, as BuildKit reads these files. Lines that are no entry (comments, NIS "+" lines,
// damage) are skipped.
std::vector<PasswdEntry> parse_passwd(const std::string& text) {
  std::vector<PasswdEntry> entries;
  for (const auto& line : split(text, '\n')) {
    auto fields = split(line, ':');
    if (fields.size() < 3) continue;
    fields.resize(7);
    const auto uid = parse_id(fields[2]);
    const auto gid = fields[3].empty() ? std::optional<std::uint32_t>(0) : parse_id(fields[3]);
    if (uid && gid) entries.push_back({fields[0], *uid, *gid, fields[5]});
  }
  return entries;
}

std::vector<GroupEntry> parse_group(const std::string& text) {
  std::vector<GroupEntry> entries;
  for (const auto& line : split(text, '\n')) {
    auto fields = split(line, ':');
    if (fields.size() < 3) continue;
    fields.resize(4);
    if (const auto gid = parse_id(fields[2])) entries.push_back({fields[0], *gid, split(fields[3], ',')});
  }
  return entries;
}

// A number is always an id, also where a user has it for a name.
std::optional<PasswdEntry> find_user(const AccountFiles& files, std::string_view user) {
  const auto entries = parse_passwd(files.passwd);
  const auto id = parse_id(user);
  if (!id) {
    const auto by_name = std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.name == user; });
    if (by_name != entries.end()) return *by_name;
    std::vector<std::string> names;
    for (const auto& entry : entries) names.push_back(entry.name);
    Error error(ErrorKind::usage,
                fmt::format("unable to find user {}: no matching entries in the image's /etc/passwd", user));
    if (const auto match = closest_match(user, names)) error.add_hint(fmt::format("did you mean {}?", *match));
    throw error;
  }
  const auto by_id = std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.uid == *id; });
  if (by_id != entries.end()) return *by_id;
  return std::nullopt;
}

std::uint32_t find_group(const AccountFiles& files, std::string_view group) {
  if (const auto id = parse_id(group)) return *id;
  const auto entries = parse_group(files.group);
  const auto by_name = std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.name == group; });
  if (by_name != entries.end()) return by_name->gid;
  throw Error(ErrorKind::usage,
              fmt::format("unable to find group {}: no matching entries in the image's /etc/group", group));
}

std::pair<std::string_view, std::optional<std::string_view>> split_owner(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return {text, std::nullopt};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

}  // namespace

Account resolve_user(const AccountFiles& files, std::string_view user) {
  const auto [name, group] = split_owner(user);
  Account account;
  const std::string_view user_name = name.empty() ? "0" : name;
  const auto entry = find_user(files, user_name);
  if (entry) {
    account.uid = entry->uid;
    account.gid = entry->gid;
    if (!entry->home.empty()) account.home = entry->home;
  } else {
    account.uid = *parse_id(user_name);  // find_user throws for an unknown name
  }
  if (group && !group->empty()) {
    account.gid = find_group(files, *group);
    return account;
  }
  if (entry) {
    for (const auto& candidate : parse_group(files.group)) {
      const auto& members = candidate.members;
      if (std::find(members.begin(), members.end(), entry->name) != members.end()) {
        account.supplementary_groups.push_back(candidate.gid);
      }
    }
  }
  return account;
}

Owner resolve_chown(const AccountFiles& files, std::string_view chown) {
  const auto [name, group] = split_owner(chown);
  Owner owner;
  if (const auto id = parse_id(name)) {
    owner = {*id, *id};
  } else if (!name.empty()) {
    const auto entry = find_user(files, name);
    owner = {entry->uid, entry->gid};
  }
  if (group && !group->empty()) owner.gid = find_group(files, *group);
  return owner;
}

Owner resolve_directory_owner(const AccountFiles& files, std::string_view user) {
  const auto [name, group] = split_owner(user);
  Owner owner;
  if (const auto id = parse_id(name)) {
    owner = {*id, *id};
  } else {
    for (const auto& entry : parse_passwd(files.passwd)) {
      if (entry.name != name) continue;
      owner = {entry.uid, entry.gid};
      break;
    }
  }
  if (!group || group->empty()) return owner;
  if (const auto id = parse_id(*group)) {
    owner.gid = *id;
    return owner;
  }
  for (const auto& entry : parse_group(files.group)) {
    if (entry.name == *group) return {owner.uid, entry.gid};
  }
  return owner;
}

void check_link_owner(std::string_view chown) {
  const auto [name, group] = split_owner(chown);
  const auto is_number = [](std::string_view text) { return text.empty() || parse_id(text).has_value(); };
  if (is_number(name) && is_number(group.value_or(""))) return;
  throw Error(ErrorKind::usage,
              fmt::format("--chown={}: user and group names can't be resolved when used with --link", chown))
      .add_hint("use numbers: --chown=uid[:gid]");
}

}  // namespace tektii::builder
