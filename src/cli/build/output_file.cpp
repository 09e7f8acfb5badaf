#include "output_file.hpp"

#include "options.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <unistd.h>

#include <map>

namespace tektii::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_hint =
    "use type=oci,dest=DIR, type=oci,dest=FILE.tar or type=docker,dest=FILE; - is standard output";

[[noreturn]] void fail(const std::string& text, const std::string& problem, const char* hint = k_hint) {
  throw Error(ErrorKind::usage, fmt::format("--output {}: {}", text, problem)).add_hint(hint);
}

std::map<std::string, std::string> read_fields(const std::string& text) {
  std::map<std::string, std::string> fields;
  for (const auto& field : split(text, ',')) {
    const auto equals = field.find('=');
    const auto key = field.substr(0, equals);
    if (key != "type" && key != "dest" && key != "oci-artifact") fail(text, "unknown key " + key);
    fields[key] = equals == std::string::npos ? std::string{} : field.substr(equals + 1);
  }
  return fields;
}

}  // namespace

void require_directory_of(const std::string& option, const fs::path& file) {
  std::error_code failure;
  const auto parent = fs::absolute(file).parent_path();
  if (fs::is_directory(parent, failure)) return;
  throw Error(ErrorKind::usage, fmt::format("{} {}: there is no directory {}", option, file.string(), parent.string()));
}

OutputSpec parse_output(const std::string& text) {
  if (text == "json" || text == "table") fail(text, "of a build, --output says where the image goes");
  const auto fields = read_fields(text);
  const auto value_of = [&](const char* key) {
    const auto found = fields.find(key);
    return found == fields.end() ? std::string() : found->second;
  };
  const auto type = value_of("type");
  const auto destination = value_of("dest");
  if (type != "oci" && type != "docker") fail(text, fmt::format("type {} is not supported", type));
  if (destination.empty() && type == "docker") {
    fail(text, "dest is missing", "there is no daemon to load it into: use dest=FILE, then docker load -i FILE");
  }
  if (destination.empty()) fail(text, "dest is missing");
  OutputSpec output;
  if (destination == "-") {
    if (::isatty(STDOUT_FILENO) == 1) fail(text, "an archive is not written to a terminal", "redirect standard output");
    output.destination = destination;
    output.kind = OutputSpec::Kind::oci_archive;
  } else {
    output.destination = fs::absolute(destination);
    if (output.destination.extension() == ".tar") output.kind = OutputSpec::Kind::oci_archive;
  }
  if (fields.contains("oci-artifact")) {
    if (type != "oci") fail(text, "oci-artifact is for type=oci", "a docker-archive can't hold attestations");
    output.oci_artifact = parse_switch("--output " + text, "oci-artifact", value_of("oci-artifact"));
  }
  if (type == "docker") output.kind = OutputSpec::Kind::docker_archive;
  if (output.kind != OutputSpec::Kind::oci_directory && !output.is_standard_output()) {
    require_directory_of("--output", output.destination);
  }
  return output;
}

}  // namespace tektii::cli
