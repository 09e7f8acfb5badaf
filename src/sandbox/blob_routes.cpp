#include "sandbox/blob_routes.hpp"

#include "sandbox/registry_reply.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

namespace tektii::sandbox {
namespace {

// A status request that follows a cut connection waits this long for the server to notice the cut: the size that it
// answers would grow otherwise, and a client that resumes there would be out of order.
constexpr std::chrono::seconds k_status_wait{2};

HttpReply upload_unknown(std::string_view id) {
  return registry_error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry", id);
}

HttpReply broken_off() {
  return registry_error(400, "BLOB_UPLOAD_INVALID", "the body ended early");
}

HttpReply upload_reply(int status, const Upload& upload) {
  const std::uint64_t size = upload.size();
  HttpReply reply{.status = status};
  reply.add_header("Location", fmt::format("/v2/{}/blobs/uploads/{}", upload.repository(), upload.id()));
  reply.add_header("Docker-Upload-UUID", upload.id());
  // "0-0" for no byte at all is what other registries answer; the form has no way to say it.
  reply.add_header("Range", fmt::format("0-{}", size == 0 ? 0 : size - 1));
  return reply;
}

// "start-end", inclusive, without a unit; a chunk must begin where the last one ended.
bool is_in_order(const HttpRequest& request, const Upload& upload) {
  const std::string_view range = request.header("content-range");
  if (range.empty()) return true;
  const auto first = parse_int(range.substr(0, range.find('-')));
  return first && *first >= 0 && static_cast<std::uint64_t>(*first) == upload.size();
}

HttpReply out_of_order(const Upload& upload) {
  HttpReply reply = registry_error(416, "RANGE_INVALID", "the chunk does not follow the last one");
  for (auto& header : upload_reply(416, upload).headers) reply.headers.push_back(std::move(header));
  return reply;
}

}  // namespace

HttpReply BlobRoutes::handle_blob(HttpRequest& request, const std::string& name, const std::string& digest) const {
  if (request.method != "GET" && request.method != "HEAD") return unsupported("GET, HEAD");
  if (!oci::Digest::is_valid(digest)) return registry_error(400, "DIGEST_INVALID", "invalid digest", digest);
  const oci::Digest parsed = oci::Digest::parse(digest);
  if (!repositories_.has_blob(name, parsed)) return blob_unknown(digest);
  const auto size = store_.size_of(parsed);
  if (!size) return blob_unknown(digest);
  return get_blob(request, parsed, *size);
}

HttpReply BlobRoutes::get_blob(const HttpRequest& request, const oci::Digest& digest, std::uint64_t size) const {
  HttpReply reply{.content_type = "application/octet-stream"};
  reply.add_header("Docker-Content-Digest", digest.str());
  reply.add_header("Accept-Ranges", "bytes");
  const RangeRequest range = parse_range(request.header("range"), size);
  if (range.kind == RangeKind::unsatisfiable) {
    HttpReply refused = registry_error(416, "RANGE_INVALID", "the range is outside of the blob");
    refused.add_header("Content-Range", fmt::format("bytes */{}", size));
    return refused;
  }
  ByteRange part{0, size};
  if (range.kind == RangeKind::part) {
    part = range.range;
    reply.status = 206;
    reply.add_header("Content-Range", fmt::format("bytes {}-{}/{}", part.first, part.first + part.size - 1, size));
  }
  const std::filesystem::path path = store_.blob_path(digest);
  UniqueFd file = open_file(path, O_RDONLY);
  if (::lseek(file.get(), static_cast<off_t>(part.first), SEEK_SET) < 0) throw_errno(path.string());
  reply.stream = std::make_shared<FdSource>(std::move(file), path.string());
  reply.stream_size = part.size;
  return reply;
}

HttpReply BlobRoutes::start_upload(HttpRequest& request, const std::string& name, const MayPull& may_pull) const {
  if (request.method != "POST") return unsupported("POST");
  const auto mount = request.param("mount");
  const auto from = request.param("from");
  if (mount && from && oci::Digest::is_valid(*mount) && is_repository_name(*from) && may_pull(*from)) {
    const oci::Digest digest = oci::Digest::parse(*mount);
    if (repositories_.has_blob(*from, digest)) {
      repositories_.link_blob(name, digest);
      return created(name, "blobs", digest);
    }
  }
  const std::shared_ptr<Upload> upload = uploads_.start(name);
  const auto digest = request.param("digest");
  if (!digest) return upload_reply(202, *upload);

  const std::lock_guard lock(upload->mutex());
  const HttpReply reply = finish(request, *upload);
  uploads_.remove(upload->id());
  return reply;
}

HttpReply BlobRoutes::handle_upload(HttpRequest& request, const std::string& name, const std::string& id) const {
  const std::shared_ptr<Upload> upload = uploads_.find(name, id);
  if (!upload) return upload_unknown(id);
  if (request.method == "GET" || request.method == "HEAD") {
    // By the system's clock: gcc 12's ThreadSanitizer does not know the call that waits by the steady one, and takes
    // the unlock for an error.
    const std::unique_lock lock(upload->mutex(), std::chrono::system_clock::now() + k_status_wait);
    if (lock.owns_lock() && upload->ended()) return upload_unknown(id);
    return upload_reply(204, *upload);
  }
  const std::lock_guard lock(upload->mutex());
  if (upload->ended()) return upload_unknown(id);
  if (request.method == "PATCH") return append(request, *upload);
  if (request.method == "PUT") return finish(request, *upload);
  if (request.method == "DELETE") {
    uploads_.remove(id);
    return {.status = 204};
  }
  return unsupported("GET, PATCH, PUT, DELETE");
}

HttpReply BlobRoutes::append(HttpRequest& request, Upload& upload) const {
  if (!is_in_order(request, upload)) return out_of_order(upload);
  if (request.body && !request.body(upload)) return broken_off();
  return upload_reply(202, upload);
}

HttpReply BlobRoutes::finish(HttpRequest& request, Upload& upload) const {
  const auto digest = request.param("digest");
  if (!digest || !oci::Digest::is_valid(*digest)) {
    return registry_error(400, "DIGEST_INVALID", "the digest is missing or malformed", digest.value_or(""));
  }
  if (!is_in_order(request, upload)) return out_of_order(upload);
  // What arrived before the cut stays, so that the client can ask for the size and go on.
  if (request.body && !request.body(upload)) return broken_off();
  return commit(upload, *digest);
}

HttpReply BlobRoutes::commit(Upload& upload, const std::string& digest_text) const {
  const oci::Digest digest = oci::Digest::parse(digest_text);
  const CommitResult result = upload.commit(digest);
  uploads_.remove(upload.id());
  if (result == CommitResult::digest_mismatch) {
    return registry_error(400, "DIGEST_INVALID", "provided digest did not match uploaded content", digest_text);
  }
  repositories_.link_blob(upload.repository(), digest);
  return created(upload.repository(), "blobs", digest);
}

}  // namespace tektii::sandbox
