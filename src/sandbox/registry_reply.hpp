#pragma once

#include "sandbox/http.hpp"
#include <tektii/oci/digest.hpp>

#include <string_view>

namespace tektii::sandbox {

// {"errors":[{"code","message","detail"}]} (distribution-spec, "Error Codes"). `detail` is left out when empty.
HttpReply registry_error(int status, std::string_view code, std::string_view message, std::string_view detail = {});

// 404 with BLOB_UNKNOWN, MANIFEST_UNKNOWN or NAME_UNKNOWN; `what` goes into the detail.
HttpReply blob_unknown(std::string_view what);
HttpReply manifest_unknown(std::string_view what);
HttpReply name_unknown(std::string_view name);
// 405 UNSUPPORTED
HttpReply unsupported(std::string_view allowed);

// 201 with Location and Docker-Content-Digest; `kind` is "blobs" or "manifests".
HttpReply created(std::string_view name, std::string_view kind, const oci::Digest& digest);

}  // namespace tektii::sandbox
