#pragma once

#include <tektii/layer/layer_index.hpp>
#include <tektii/oci/descriptor.hpp>
#include <tektii/store/blob_store.hpp>
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

// Streams a layer out of the store: decompresses, checks the diff_id over all of its bytes, and passes on what the
// members mean. Names are normalised, whiteouts are recognised, attributes that would steer overlayfs are dropped. When
// this throws (corrupt or hostile content, diff_id mismatch, stop) the visitor's result must be discarded; the Error
// names the layer. At most 10 million members and 1 GiB of names and attributes are taken. Returns the index.
LayerIndex read_layer(store::BlobStore& store, const oci::Layer& layer, LayerVisitor& visitor,
                      const std::stop_token& stop);

// The same without a visitor.
LayerIndex read_layer_index(store::BlobStore& store, const oci::Layer& layer, const std::stop_token& stop);

// True for the two files whose content an index keeps.
bool is_account_file(std::string_view path);
inline constexpr std::uint64_t k_max_account_file = 1U << 20;

}  // namespace tektii::layer
