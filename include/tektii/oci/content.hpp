#pragma once

#include <tektii/oci/ports.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tektii::oci {

// A manifest or an index with the bytes that its descriptor is of.
struct Document {
  Descriptor descriptor;
  std::string bytes;
};

// Port: what one name stands for in a registry, a layout or an archive, byte for byte, so that it can be copied with
// its digests. Thread-safe.
class ContentSource {
 public:
  virtual ~ContentSource() = default;
  // The manifest or index of the name. Throws Error{failure} when there is none.
  virtual Document read_top(std::stop_token stop) = 0;
  // A manifest or index that another one names; size and digest are verified.
  virtual Document read_manifest(const Descriptor& manifest, std::stop_token stop) = 0;
  // Streams one blob to the sink. Size and digest are verified before this returns; on a mismatch it throws and the
  // caller must discard what the sink took. Does not call sink.finish().
  virtual void fetch(const Descriptor& blob, ByteSink& sink, std::stop_token stop) = 0;
  // Where a registry could mount the blobs from.
  virtual std::optional<BlobOrigin> origin() const { return std::nullopt; }
};

// What a copy moves.
struct Content {
  std::vector<Document> manifests;  // each once; what one names comes before it, and the last is what gets the name
  std::vector<Descriptor> blobs;    // each once, in the order of the manifests: config, then layers, lowest first

  const Document& top() const { return manifests.back(); }
};

// Port: a place for content under one name. Thread-safe.
class ContentTarget {
 public:
  virtual ~ContentTarget() = default;
  // True when the manifest or index is there with all that it names: under the target's own name for `is_top`, else by
  // its digest.
  virtual bool has(const Descriptor& manifest, bool is_top, std::stop_token stop) = 0;
  // Before the first blob.
  virtual void begin(const Content& content, std::stop_token stop) = 0;
  // Any of content.blobs, in any order and from any thread.
  virtual void put_blob(const BlobUpload& upload, std::stop_token stop) = 0;
  // After every blob: puts the manifests in their order and gives the last one the name.
  virtual void finish(const Content& content, std::stop_token stop) = 0;
};

// Indexes inside indexes are followed so deep and no deeper (an index that names itself can't be made, a deep one can).
inline constexpr int k_max_index_nesting = 8;

// Reads a manifest or index that an index names, verified.
using ReadManifest = std::function<Document(const Descriptor& manifest)>;

// The manifest for a platform: `top` itself when it is no index, else the first match below it, its own entries before
// those of indexes inside it. Throws Error{platform_mismatch} that lists the platforms when there is none.
Document select_platform(const ReadManifest& read, Document top, const Platform& platform);
Document select_platform(ContentSource& source, Document top, const Platform& platform, const std::stop_token& stop);

// What a text says it is, for documents that come without a type: `declared` when it is the type of a manifest or an
// index, else the "mediaType" member, else by the members that only one kind has. Throws Error{failure} for a Docker
// schema 1 manifest.
std::string media_type_of(const std::string& bytes, std::string_view declared = {});

// Holds a document against the descriptor that promised it; throws Error{failure}.
void check_document(const Descriptor& expected, const std::string& bytes);

// Content as a base image. `name` is what it is called in annotations and messages.
std::unique_ptr<ImageSource> make_content_image(std::unique_ptr<ContentSource> content, std::string name);

}  // namespace tektii::oci
