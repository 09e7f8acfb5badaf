#include <tektii/attest/statement.hpp>

#include <nlohmann/json.hpp>

namespace tektii::attest {

Statement make_statement(std::string_view predicate_type, std::string_view predicate, const oci::Digest& subject) {
  using Json = nlohmann::ordered_json;
  Json json;
  json["_type"] = "https://in-toto.io/Statement/v1";
  json["subject"] = Json::array({{{"name", "_"}, {"digest", {{"sha256", subject.hex()}}}}});
  json["predicateType"] = predicate_type;
  json["predicate"] = Json::parse(predicate);
  return {std::string(predicate_type), json.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

}  // namespace tektii::attest
