#include "sandbox/manifest_routes.hpp"

#include "sandbox/registry_reply.hpp"
#include <tektii/oci/media_type.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tektii::sandbox {
namespace {

using nlohmann::json;

constexpr std::size_t k_max_manifest = 4 << 20;  // the spec's least upper limit
constexpr std::size_t k_max_config = 4 << 20;

HttpReply manifest_invalid(std::string_view why) {
  return registry_error(400, "MANIFEST_INVALID", "manifest invalid", why);
}

// "application/json; charset=utf-8" -> "application/json"
std::string without_parameters(std::string_view content_type) {
  return to_lower(trim(content_type.substr(0, content_type.find(';'))));
}

std::string read_blob(store::BlobStore& store, const oci::Digest& digest, std::size_t limit) {
  return read_all(*store.open(digest), limit);
}

void write_blob(store::BlobStore& store, const oci::Digest& digest, const std::string& bytes) {
  const auto writer = store.create();
  writer->write(as_byte_span(bytes));
  writer->commit(store::BlobInfo{digest, bytes.size()});
}

// "os/architecture" of an image's config; empty when it names neither, as the config of an artifact does.
std::string platform_of_config(const std::string& bytes) {
  const json config = json::parse(bytes, nullptr, false);
  if (!config.is_object()) return {};
  const auto text = [&config](const char* name) {
    const auto found = config.find(name);
    return found != config.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const std::string os = text("os");
  const std::string architecture = text("architecture");
  return os.empty() || architecture.empty() ? std::string() : fmt::format("{}/{}", os, architecture);
}

}  // namespace

HttpReply ManifestRoutes::handle(HttpRequest& request, const std::string& name, const std::string& reference) {
  if (!oci::Digest::is_valid(reference) && !is_tag(reference)) {
    return reference.find(':') == std::string::npos
               ? registry_error(400, "TAG_INVALID", "invalid tag", reference)
               : registry_error(400, "DIGEST_INVALID", "invalid digest", reference);
  }
  if (request.method == "GET" || request.method == "HEAD") return get(name, reference);
  if (request.method == "PUT") return put(request, name, reference);
  return unsupported("GET, HEAD, PUT");
}

HttpReply ManifestRoutes::get(const std::string& name, const std::string& reference) const {
  if (!repositories_.exists(name)) return name_unknown(name);
  const auto digest = oci::Digest::is_valid(reference) ? std::optional(oci::Digest::parse(reference))
                                                       : repositories_.find_tag(name, reference);
  const auto media_type = digest ? repositories_.manifest_type(name, *digest) : std::nullopt;
  if (!media_type) return manifest_unknown(reference);
  HttpReply reply{.content_type = *media_type, .body = read_blob(store_, *digest, k_max_manifest)};
  reply.add_header("Docker-Content-Digest", digest->str());
  return reply;
}

HttpReply ManifestRoutes::put(HttpRequest& request, const std::string& name, const std::string& reference) {
  const BodyText body = read_body(request, k_max_manifest);
  if (body.status == BodyStatus::too_long) {
    return registry_error(413, "MANIFEST_INVALID", "the manifest is larger than 4 MiB");
  }
  if (body.status == BodyStatus::broken_off) return manifest_invalid("the body ended early");
  const oci::Digest digest = oci::Digest::of_bytes(body.text);
  if (oci::Digest::is_valid(reference) && reference != digest.str()) {
    return registry_error(400, "DIGEST_INVALID", "provided digest did not match uploaded content", digest.str());
  }
  const Content content = parse(request, body.text);
  if (content.error) return *content.error;
  if (auto error = check_references(name, content)) return *error;
  return store_manifest(name, reference, body.text, content);
}

ManifestRoutes::Content ManifestRoutes::parse(const HttpRequest& request, const std::string& bytes) {
  Content content;
  content.media_type = without_parameters(request.header("content-type"));
  try {
    if (oci::is_index(content.media_type)) {
      content.manifests = oci::Index::parse(bytes).manifests;
    } else if (oci::is_manifest(content.media_type)) {
      oci::Manifest manifest = oci::Manifest::parse(bytes);
      content.blobs = std::move(manifest.layers);
      content.blobs.push_back(std::move(manifest.config));
    } else {
      content.error = manifest_invalid(fmt::format("Content-Type \"{}\" is not a manifest's", content.media_type));
    }
  } catch (const Error& error) {
    content.error = manifest_invalid(error.message());
    return content;
  }
  const json document = json::parse(bytes, nullptr, false);
  if (!content.error && document.value("mediaType", content.media_type) != content.media_type) {
    content.error = manifest_invalid("mediaType is not the Content-Type");
  }
  return content;
}

std::optional<HttpReply> ManifestRoutes::check_references(const std::string& name, const Content& content) const {
  json missing = json::array();
  for (const oci::Descriptor& blob : content.blobs) {
    if (!repositories_.has_blob(name, blob.digest)) {
      missing.push_back(
          {{"code", "MANIFEST_BLOB_UNKNOWN"}, {"message", "blob unknown to registry"}, {"detail", blob.digest.str()}});
    } else if (store_.size_of(blob.digest) != blob.size) {
      return registry_error(400, "SIZE_INVALID", "the size is not the blob's", blob.digest.str());
    }
  }
  for (const oci::Descriptor& manifest : content.manifests) {
    if (repositories_.manifest_type(name, manifest.digest)) continue;
    missing.push_back({{"code", "MANIFEST_BLOB_UNKNOWN"},
                       {"message", "manifest unknown to registry"},
                       {"detail", manifest.digest.str()}});
  }
  if (missing.empty()) return std::nullopt;
  const json body = {{"errors", std::move(missing)}};
  return HttpReply{.status = 400, .content_type = "application/json", .body = body.dump()};
}

HttpReply ManifestRoutes::store_manifest(const std::string& name, const std::string& reference,
                                         const std::string& bytes, const Content& content) {
  const oci::Digest digest = oci::Digest::of_bytes(bytes);
  if (oci::Digest::is_valid(reference)) {
    write_blob(store_, digest, bytes);
    repositories_.link_manifest(name, digest, content.media_type);
  } else {
    const std::lock_guard lock(tag_mutex_);
    if (!platform_.may_push(name, reference, digest.str())) {
      return registry_error(400, "TAG_INVALID", "the tag is immutable: the version already has an image", reference);
    }
    publish(name, reference, content.media_type, bytes);
  }
  return created(name, "manifests", digest);
}

void ManifestRoutes::publish(const std::string& name, const std::string& tag, const std::string& media_type,
                             const std::string& bytes) {
  const oci::Digest digest = oci::Digest::of_bytes(bytes);
  write_blob(store_, digest, bytes);
  repositories_.link_manifest(name, digest, media_type);
  repositories_.set_tag(name, tag, digest);
  platform_.image_pushed(name, tag, {digest.str(), platform_of(name, media_type, bytes)});
}

std::string ManifestRoutes::platform_of(const std::string& name, const std::string& media_type,
                                        const std::string& bytes) const {
  if (!oci::is_index(media_type)) {
    return platform_of_config(read_blob(store_, oci::Manifest::parse(bytes).config.digest, k_max_config));
  }
  const oci::Index index = oci::Index::parse(bytes);
  const oci::Descriptor* entry = index.find(oci::Platform{});
  if (entry == nullptr) return index.platforms();
  // What the index says of its entry counts for nothing: the image has to be one.
  const auto type = repositories_.manifest_type(name, entry->digest);
  if (!type || oci::is_index(*type)) return {};
  return platform_of(name, *type, read_blob(store_, entry->digest, k_max_manifest));
}

}  // namespace tektii::sandbox
