#pragma once

#include <tektii/api/types.hpp>

#include <string>
#include <string_view>

namespace tektii::api {

// Typed values out of the API's answers, which come bare or in {"data": ...}; lists also under their own name
// ({"strategies": [...]}), with the next cursor under `nextCursor` or `pagination.nextCursor`. Throws Error{network}
// when the text is not JSON or has not even an id.
Strategy decode_strategy(std::string_view text);
Version decode_version(std::string_view text);
// A version from a template comes without an address to push to.
VersionUpload decode_version_upload(std::string_view text, bool from_template);
Scenario decode_scenario(std::string_view text);
Page<Strategy> decode_strategies(std::string_view text);
Page<Version> decode_versions(std::string_view text);
Page<Scenario> decode_scenarios(std::string_view text);
Page<Instrument> decode_instruments(std::string_view text);

}  // namespace tektii::api
