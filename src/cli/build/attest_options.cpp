#include "attest_options.hpp"

#include "cli/git_command.hpp"
#include <tektii/dockerfile/git_ref.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/go_text.hpp>
#include <tektii/util/process.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <utility>

namespace tektii::cli {
namespace {

using attest::Provenance;
using Fields = std::vector<std::pair<std::string, std::string>>;

[[noreturn]] void refuse(const std::string& option, const std::string& why, const std::string& hint = {}) {
  Error error(ErrorKind::usage, fmt::format("{}: {}", escape_control(option), why));
  if (!hint.empty()) error.add_hint(hint);
  throw error;
}

Fields fields_of(const std::string& option, const std::string& text) {
  Fields fields;
  for (const auto& field : split(text, ',')) {
    const auto equals = field.find('=');
    if (equals == std::string::npos) refuse(option, fmt::format("{} is no key=value", field));
    fields.emplace_back(to_lower(field.substr(0, equals)), field.substr(equals + 1));
  }
  return fields;
}

// A key that both types have. False when it is none of them.
bool read_common(const std::string& option, const std::string& key, const std::string& value, bool& disabled,
                 builder::AttestationRequest& request) {
  if (key == "disabled") {
    disabled = parse_switch(option, key, value);
  } else if (key == "oci-artifact") {
    request.as_artifact = parse_switch(option, key, value);
  } else {
    return false;
  }
  return true;
}

void read_provenance(const std::string& option, const Fields& fields, builder::AttestationRequest& request) {
  builder::ProvenanceRequest asked;
  bool disabled = false;
  for (const auto& [key, value] : fields) {
    if (read_common(option, key, value, disabled, request)) continue;
    if (key == "mode") {
      if (value != "min" && value != "max") refuse(option, fmt::format("unknown mode {}", value), "use min or max");
      asked.mode = value == "min" ? Provenance::Mode::min : Provenance::Mode::max;
    } else if (key == "version") {
      if (value != "v1" && value != "v0.2") refuse(option, fmt::format("unknown version {}", value), "use v1 or v0.2");
      asked.version = value == "v1" ? Provenance::Version::slsa_1 : Provenance::Version::slsa_02;
    } else if (key == "builder-id") {
      asked.builder_id = value;
    } else if (key == "reproducible") {
      asked.reproducible = parse_switch(option, key, value);
    } else if (key == "inline-only") {
      parse_switch(option, key, value);  // there are only outputs that hold it inline
    } else {
      refuse(option, fmt::format("unknown key {}", key),
             "provenance has mode, version, builder-id, reproducible, oci-artifact and disabled");
    }
  }
  request.provenance = disabled ? std::nullopt : std::optional(asked);
}

void read_sbom(const std::string& option, const Fields& fields, builder::AttestationRequest& request) {
  bool disabled = false;
  for (const auto& [key, value] : fields) {
    if (read_common(option, key, value, disabled, request)) continue;
    if (key == "generator") {
      refuse(option, "no generator is run: the package databases of the image are read by tektii itself",
             "leave generator out");
    }
    refuse(option, fmt::format("unknown key {}", key), "sbom has oci-artifact and disabled");
  }
  request.sbom = !disabled;
}

// --provenance=false, --sbom, --provenance=mode=max.
Fields short_fields(const std::string& option, const std::string& text) {
  if (const auto on = parse_go_bool(text)) return *on ? Fields{} : Fields{{"disabled", "true"}};
  return fields_of(option, text);
}

}  // namespace

bool parse_switch(const std::string& option, const std::string& key, const std::string& value) {
  const auto on = parse_go_bool(value);
  if (!on) refuse(option, fmt::format("{} must be true or false", key));
  return *on;
}

builder::AttestationRequest parse_attestations(const AttestOptions& options) {
  builder::AttestationRequest request;
  for (const auto& text : options.attests) {
    const auto option = "--attest " + text;
    auto fields = fields_of(option, text);
    std::string type;
    std::erase_if(fields, [&](const auto& field) {
      if (field.first == "type") type = field.second;
      return field.first == "type";
    });
    if (type == "provenance") {
      read_provenance(option, fields, request);
    } else if (type == "sbom") {
      read_sbom(option, fields, request);
    } else {
      refuse(option, type.empty() ? "the type is missing" : fmt::format("unknown type {}", type),
             "use type=provenance or type=sbom");
    }
  }
  if (const auto& text = options.provenance; !text.empty()) {
    const auto option = "--provenance=" + text;
    read_provenance(option, short_fields(option, text), request);
  }
  if (const auto& text = options.sbom; !text.empty()) {
    const auto option = "--sbom=" + text;
    read_sbom(option, short_fields(option, text), request);
  }
  return request;
}

std::string revision_of(const std::filesystem::path& directory) {
  const auto result = run_process(git_command(directory, {"rev-parse", "--verify", "--quiet", "HEAD^{commit}"}));
  if (result.not_found || result.exit_code != 0) return {};
  std::string commit(trim(result.out));
  return dockerfile::is_commit_id(commit) ? commit : std::string{};
}

}  // namespace tektii::cli
