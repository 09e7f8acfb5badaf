#include "layer/file_attributes.hpp"
#include "layer/member_name.hpp"
#include <tektii/layer/upper.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <set>

namespace tektii::layer {

void prepare_upper(const std::filesystem::path& upper, const FileTree& tree) {
  // With all their parents, sorted so that a parent comes before what is in it.
  std::set<std::string> paths;
  for (const std::string& path : tree.overlaid_directories()) {
    for (std::string_view part = path; !part.empty(); part = parent_path(part)) paths.emplace(part);
  }
  for (const std::string& path : paths) {
    if (::mkdir((upper / path).c_str(), 0700) != 0) throw_errno("make the directory /" + path);
  }
  // Children first: making a directory changes the time of its parent.
  for (auto path = paths.rbegin(); path != paths.rend(); ++path) {
    const UniqueFd directory = open_file(upper / *path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    set_attributes(directory.get(), tree.find(*path)->metadata, "/" + *path);
  }
}

}  // namespace tektii::layer
