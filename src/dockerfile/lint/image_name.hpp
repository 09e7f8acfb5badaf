#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tektii::dockerfile {

// Whether the text can be the name of an image as FROM takes it: [domain[:port]/]path[:tag][@digest] (the grammar of
// distribution/reference, with the rules for short names).
bool is_image_name(std::string_view text);

struct PlatformName {
  std::string os;
  std::string architecture;
};

// "os[/arch[/variant]]" or an architecture alone, in normal form (containerd/platforms); nullopt for anything else.
std::optional<PlatformName> parse_platform_name(std::string_view text);

}  // namespace tektii::dockerfile
