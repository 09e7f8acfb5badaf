#pragma once

#include <tektii/layer/layer_index.hpp>
#include <tektii/oci/descriptor.hpp>
#include <tektii/util/stream.hpp>

#include <cstdint>
#include <functional>
#include <stop_token>

namespace tektii::layer {

// Receives the members of a layer in tar order.
class LayerVisitor {
 public:
  // Reads the content of the current member (holes are left out); may be called once, or not at all.
  using Content = std::function<void(const std::function<void(std::uint64_t offset, ByteSpan data)>& sink)>;

  virtual ~LayerVisitor() = default;
  virtual void visit(const LayerEntry& entry, const Content& content) = 0;
};

// Streams a layer: decompresses, checks the diff_id over all of its bytes, and passes on what the members mean. Names
// are normalised, whiteouts are recognised, attributes that would steer overlayfs are dropped. `blob` opens the
// compressed bytes, of the store or of a download on its way there; they are read to their end, also when what they
// hold is bad, because the end of a download may tell of a better reason. When this throws (corrupt or hostile content,
// diff_id mismatch, stop) the visitor's result must be discarded; the Error names the layer. At most 10 million
// members, 1 GiB of names and attributes and 1 TiB of content are taken.
void visit_layer(const BlobOpener& blob, const oci::Layer& layer, LayerVisitor& visitor, const std::stop_token& stop);

// The same, and returns the index. `visitor` may be nullptr.
LayerIndex read_layer(const BlobOpener& blob, const oci::Layer& layer, LayerVisitor* visitor,
                      const std::stop_token& stop);

// True for the two files whose content an index keeps.
bool is_account_file(std::string_view path);
inline constexpr std::uint64_t k_max_account_file = 1U << 20;

}  // namespace tektii::layer
