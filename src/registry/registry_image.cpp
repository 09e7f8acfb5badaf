#include "registry/registry_image.hpp"

#include "registry/error_report.hpp"
#include <tektii/oci/content.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <utility>

namespace tektii::registry {

namespace {

constexpr std::size_t k_max_manifest = 4 << 20;  // what registries promise to take (distribution-spec)
constexpr std::size_t k_max_config = 4 << 20;

// The type without parameters; some servers add "; charset=utf-8".
std::string content_type(const net::HttpResponse& response) {
  const std::string value = response.header("Content-Type").value_or("");
  return to_lower(trim(std::string_view(value).substr(0, value.find(';'))));
}

// What kind of document it is: the server's word if it is a type that we know, else by the member that only one kind
// has.
std::string manifest_media_type(const net::HttpResponse& response, const std::string& bytes) {
  const std::string type = content_type(response);
  if (oci::is_index(type) || oci::is_manifest(type)) return type;
  if (type.starts_with("text/html")) {
    throw Error(ErrorKind::network, "the server answered with a web page; it does not speak the registry protocol");
  }
  const bool has_layers = bytes.find("\"layers\"") != std::string::npos;
  const bool has_manifests = bytes.find("\"manifests\"") != std::string::npos;
  return std::string(has_manifests && !has_layers ? oci::k_media_index : oci::k_media_manifest);
}

bool is_sha256(std::string_view text) {
  return oci::Digest::is_valid(text);
}

void check_manifest_digest(const net::HttpResponse& response, const oci::Digest& actual,
                           const std::optional<oci::Digest>& expected) {
  if (expected && actual != *expected) {
    throw Error(ErrorKind::content,
                fmt::format("digest mismatch: the registry sent {} for {}", actual.str(), expected->str()));
  }
  // Another algorithm than ours says nothing about the content that we could check.
  const auto claimed = response.header("Docker-Content-Digest");
  if (claimed && is_sha256(*claimed) && *claimed != actual.str()) {
    throw Error(ErrorKind::content,
                fmt::format("digest mismatch: the registry announced {} and sent {}", *claimed, actual.str()));
  }
}

// The server sent another range than the one asked for.
class WrongRange : public Error {
 public:
  WrongRange() : Error(ErrorKind::network, "the server sent another range than the one asked for") {}
};

bool range_starts_at(const net::HttpResponse& response, std::uint64_t offset) {
  return response.header("Content-Range").value_or("").starts_with(fmt::format("bytes {}-", offset));
}

}  // namespace

net::Header manifest_accept_header() {
  return {"Accept", fmt::format("{}, {}, {}, {}", oci::k_media_manifest, oci::k_media_index,
                                oci::k_media_docker_manifest, oci::k_media_docker_list)};
}

RegistryImage::RegistryImage(ClientState& state, oci::ImageReference reference)
    : reference_(std::move(reference)), sources_(state, reference_) {}

std::optional<std::string> RegistryImage::find_document(const oci::Digest& digest) const {
  const auto& documents = session().state().documents;
  if (!documents.find) return std::nullopt;
  auto bytes = documents.find(digest);
  if (!bytes || oci::Digest::of_bytes(*bytes) != digest) return std::nullopt;
  return bytes;
}

void RegistryImage::keep_document(const std::string& bytes) const {
  const auto& documents = session().state().documents;
  if (documents.keep) documents.keep(bytes);
}

std::optional<RegistryImage::Document> RegistryImage::find_manifest(const std::string& reference,
                                                                    const std::optional<oci::Digest>& expected,
                                                                    const std::stop_token& stop) const {
  if (expected) {
    if (auto bytes = find_document(*expected)) {
      return Document{{manifest_media_type({}, *bytes), *expected, bytes->size()}, std::move(*bytes)};
    }
  }
  return sources_.find(!expected, [&](const RegistrySession& session, bool is_mirror) {
    return ask_for_manifest(session, is_mirror, reference, expected, stop);
  });
}

std::optional<RegistryImage::Document> RegistryImage::ask_for_manifest(const RegistrySession& session, bool is_mirror,
                                                                       const std::string& reference,
                                                                       const std::optional<oci::Digest>& expected,
                                                                       const std::stop_token& stop) const {
  RegistryRequest request;
  request.url = session.url("/manifests/" + reference);
  request.headers = {manifest_accept_header()};
  request.document_limit = k_max_manifest;
  request.scopes = pull_scope(session.repository());
  request.retry = !is_mirror;
  const net::HttpResponse response = session.send(request, stop);
  if (response.status == 404) return std::nullopt;
  if (response.status != 200) session.fail(response);
  const oci::Digest actual = oci::Digest::of_bytes(response.body);
  check_manifest_digest(response, actual, expected);
  oci::Descriptor descriptor{manifest_media_type(response, response.body), actual, response.body.size()};
  keep_document(response.body);
  return Document{std::move(descriptor), response.body};
}

RegistryImage::Document RegistryImage::get_manifest(const std::string& reference,
                                                    const std::optional<oci::Digest>& expected,
                                                    const std::stop_token& stop) const {
  auto found = find_manifest(reference, expected, stop);
  if (!found) throw Error(ErrorKind::not_found, fmt::format("image {} not found", reference_.str()));
  return std::move(*found);
}

std::string RegistryImage::read_config(const oci::Descriptor& config, const std::stop_token& stop) {
  if (config.size > k_max_config) {
    throw Error(ErrorKind::content, fmt::format("the image's config of {} is too large", format_bytes(config.size)));
  }
  if (auto bytes = find_document(config.digest)) return std::move(*bytes);
  const auto fetch_once = [&] {
    StringSink bytes(k_max_config);
    fetch(config, bytes, stop);
    return bytes.take();
  };
  const auto fetch_again_if_wrong = [&] {
    try {
      return fetch_once();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::content) throw;
      spdlog::info("{}", error.what());
    }
    return fetch_once();
  };
  auto bytes = fetch_again_if_wrong();
  keep_document(bytes);
  return bytes;
}

RegistryImage::Document RegistryImage::select_platform(Document document, const oci::Platform& platform,
                                                       const std::stop_token& stop) const {
  const auto read = [&](const oci::Descriptor& manifest) -> oci::Document {
    Document found = get_manifest(manifest.digest.str(), manifest.digest, stop);
    if (found.descriptor.size != manifest.size) {
      throw Error(ErrorKind::content, fmt::format("the index gives {} a size of {}, it has {}", manifest.digest.str(),
                                                  manifest.size, found.descriptor.size));
    }
    return {std::move(found.descriptor), std::move(found.bytes)};
  };
  oci::Document top{std::move(document.descriptor), std::move(document.bytes)};
  auto [descriptor, bytes] = oci::select_platform(read, std::move(top), platform);
  return {std::move(descriptor), std::move(bytes)};
}

oci::ResolvedImage RegistryImage::resolve(const oci::Platform& platform, std::stop_token stop) {
  return in_phase("pull " + reference_.str(), [&] {
    Document document = get_manifest(reference_.manifest_reference(), reference_.digest, stop);
    if (oci::is_index(document.descriptor.media_type)) document = select_platform(std::move(document), platform, stop);
    const oci::Manifest manifest = oci::Manifest::parse(document.bytes);
    auto config = read_config(manifest.config, stop);
    return oci::make_resolved_image(reference_.str(), document.descriptor, document.bytes, std::move(config), platform,
                                    oci::BlobOrigin{reference_.registry, reference_.repository});
  });
}

net::HttpResponse RegistryImage::fetch_rest(const RegistrySession& session, const oci::Descriptor& blob,
                                            BlobVerifier& verifier, bool by_range, const std::stop_token& stop) const {
  RegistryRequest request;
  request.url = session.url("/blobs/" + blob.digest.str());
  request.scopes = pull_scope(session.repository());
  request.sink = &verifier;
  request.retry = false;
  const std::uint64_t offset = verifier.received();
  if (offset == 0) return session.send(request, stop);
  // No If-Range: a blob does not change under its digest, and storage servers do not agree on its ETag.
  if (by_range) request.headers.push_back({"Range", fmt::format("bytes={}-", offset)});
  request.on_head = [&verifier, offset](const net::HttpResponse& head) {
    // The server sends it all again.
    if (head.status != 206 || range_starts_at(head, 0)) return verifier.skip(offset);
    if (!range_starts_at(head, offset)) throw WrongRange();
    verifier.skip(0);
  };
  return session.send(request, stop);
}

std::optional<std::string> RegistryImage::fetch_from_mirror(std::size_t mirror, const oci::Descriptor& blob,
                                                            BlobVerifier& verifier, const std::stop_token& stop) const {
  const RegistrySession& session = sources_.at(mirror);
  try {
    const auto response = fetch_rest(session, blob, verifier, true, stop);
    if (response.status != 200 && response.status != 206)
      return fmt::format("it answered {}", describe_answer(response));
    if (verifier.received() < blob.size) return "its answer ended too early";
    verifier.verify();
    return std::nullopt;
  } catch (const net::TransportError& error) {
    if (verifier.received() < blob.size) return error.what();
    verifier.verify();
    return std::nullopt;
  } catch (const WrongRange& error) {
    return error.what();
  } catch (Error& error) {
    // The bytes are with the sink already: whoever fetches again is to get others.
    if (error.kind() == ErrorKind::content) sources_.after(mirror, error.what(), true);
    if (error.kind() != ErrorKind::denied) throw;
    return error.what();
  }
}

void RegistryImage::fetch(const oci::Descriptor& blob, ByteSink& sink, std::stop_token stop) {
  in_phase(fmt::format("blob {} of {}", blob.digest.str(), reference_.repository_str()), [&] {
    BlobVerifier verifier(blob, sink);
    for (std::size_t source = sources_.first(); sources_.is_mirror(source);) {
      const auto reason = fetch_from_mirror(source, blob, verifier, stop);
      if (!reason) return;
      source = sources_.after(source, *reason, true);
    }
    const RegistrySession& session = sources_.home();
    Attempts attempts(session.state().retry, session.endpoint().registry);
    bool by_range = true;
    while (true) {
      const std::uint64_t before = verifier.received();
      try {
        net::HttpResponse response = fetch_rest(session, blob, verifier, by_range, stop);
        if (response.status == 200 || response.status == 206) {
          // An answer that ends well and too early: as long as there is more with every one, it may be had in pieces.
          if (verifier.received() == blob.size || verifier.received() == before) return verifier.verify();
        } else if (response.status == 416 && before > 0 && by_range) {
          by_range = false;
        } else if (!attempts.again(response, stop)) {
          attempts.note(response);
          session.fail(response);
        }
      } catch (const WrongRange& error) {
        if (!std::exchange(by_range, false)) throw;
        spdlog::info("{}: {} is asked for from the beginning", error.what(), blob.digest.str());
      } catch (net::TransportError& error) {
        if (verifier.received() == blob.size) return verifier.verify();
        if (verifier.received() > before) attempts.progressed();
        if (attempts.again(error, stop)) continue;
        attempts.explain(error);
        throw;
      }
    }
  });
}

}  // namespace tektii::registry
