#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::builder {

// The text of an image's /etc/passwd and /etc/group; empty where it has none.
struct AccountFiles {
  std::string passwd;
  std::string group;
};

struct Account {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> supplementary_groups;
  std::string home = "/";
};

// USER user[:group], by name or number, from the image's own /etc/passwd and /etc/group: without a group the user's
// primary and supplementary groups apply, with one that group alone. An empty user is 0. An unknown number is taken as
// it is with group 0; an unknown name throws Error{usage}.
Account resolve_user(const AccountFiles& files, std::string_view user);

struct Owner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

// --chown=user[:group]: without a group the group id is the user's id as a number, or the user's primary group by name.
Owner resolve_chown(const AccountFiles& files, std::string_view chown);

// The owner of a directory that WORKDIR makes under USER user[:group]: as for --chown, but a name that the image does
// not have (yet) is root. BuildKit looks no closer before a RUN.
Owner resolve_directory_owner(const AccountFiles& files, std::string_view user);
// Throws Error{usage} for a --chown with names: a step with --link does not read the layers below it.
void check_link_owner(std::string_view chown);

}  // namespace tektii::builder
