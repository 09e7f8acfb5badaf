#pragma once

#include <string>
#include <string_view>

namespace tektii::fetch {

bool is_http(std::string_view remote);

// "user:password" of scheme://user:password@host/path, still encoded; empty when there is none.
std::string_view userinfo_of(std::string_view remote);

// Whether git may be given it: a transport over a network (or file://, if allowed), and nothing that git or ssh could
// take for an option.
bool is_allowed_remote(std::string_view remote, bool allow_file);

// The remote without user information, for messages and for naming its mirror: credentials of CI jobs change from build
// to build, the repository does not. The user of ssh stays, it is part of the address.
std::string without_credentials(std::string_view remote);

// The text with the remote's user information taken out wherever git repeats it.
std::string redact_remote(std::string text, std::string_view remote);

// What a submodule's URL means: "./x" and "../x" are relative to the remote of the repository that names it (gitmodules
// manual, submodule.<name>.url).
std::string resolve_submodule_url(std::string_view parent, std::string_view url);

// "https://host:port/" of an http remote: whom credentials may be sent to. Empty for others.
std::string http_scope(std::string_view remote);

}  // namespace tektii::fetch
