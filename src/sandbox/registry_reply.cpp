#include "sandbox/registry_reply.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tektii::sandbox {

using nlohmann::json;

HttpReply registry_error(int status, std::string_view code, std::string_view message, std::string_view detail) {
  json error = {{"code", code}, {"message", message}};
  if (!detail.empty()) error["detail"] = detail;
  const json body = {{"errors", json::array({std::move(error)})}};
  return {.status = status,
          .content_type = "application/json",
          .body = body.dump(-1, ' ', false, json::error_handler_t::replace)};
}

HttpReply blob_unknown(std::string_view what) {
  return registry_error(404, "BLOB_UNKNOWN", "blob unknown to registry", what);
}

HttpReply manifest_unknown(std::string_view what) {
  return registry_error(404, "MANIFEST_UNKNOWN", "manifest unknown", what);
}

HttpReply name_unknown(std::string_view name) {
  return registry_error(404, "NAME_UNKNOWN", "repository name not known to registry", name);
}

HttpReply unsupported(std::string_view allowed) {
  HttpReply reply = registry_error(405, "UNSUPPORTED", "the operation is unsupported");
  reply.add_header("Allow", std::string(allowed));
  return reply;
}

HttpReply created(std::string_view name, std::string_view kind, const oci::Digest& digest) {
  HttpReply reply{.status = 201};
  reply.add_header("Location", fmt::format("/v2/{}/{}/{}", name, kind, digest.str()));
  reply.add_header("Docker-Content-Digest", digest.str());
  return reply;
}

}  // namespace tektii::sandbox
