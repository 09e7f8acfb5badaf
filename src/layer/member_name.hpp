#pragma once

#include <string>
#include <string_view>

namespace tektii::layer {

// The relative form of a name in a tar: "./a//b/", "/a/b" and "a/b" are all "a/b"; "" is the root. Throws
// Error{failure} for "..", components above 255 bytes and names above 4096 (NAME_MAX and PATH_MAX: no file system could
// take them).
std::string normalise_member_name(std::string_view name);

// True for a name of a file that both functions here leave as it is.
bool is_plain_member_name(std::string_view path);

// What a name means in a layer (image-spec layer.md, "Whiteouts").
struct MemberName {
  enum class Kind { file, whiteout, opaque, ignored };
  Kind kind = Kind::file;
  std::string path;  // whiteout: the name that is removed; opaque: the directory
};

// `path` is normalised. Names that start with ".wh..wh." are left over from aufs and ignored, except for the opaque
// marker. Throws Error{failure} for a whiteout of nothing, "." or "..", and for a path through a whiteout name.
MemberName classify_member(std::string_view path);

// "a/b" for "a/b/c", "" for "c".
std::string_view parent_path(std::string_view path);
std::string_view base_name(std::string_view path);

// Orders paths by their components as bytes: a directory comes before what is in it, and that before its next sibling.
bool path_less(std::string_view a, std::string_view b);

}  // namespace tektii::layer
