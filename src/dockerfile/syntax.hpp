#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tektii::dockerfile {

// The frontend that a file asks for in a form other than "# syntax=" (BuildKit's DetectSyntax): a head of "// syntax="
// lines, or a JSON object with a "syntax" member; a "#!" line may stand above. Such a file is no Dockerfile.
std::optional<std::string> detect_foreign_syntax(std::string_view text);

// Whether the value of a syntax directive names the Dockerfile frontend itself, in whatever version.
bool is_dockerfile_frontend(std::string_view syntax);

}  // namespace tektii::dockerfile
