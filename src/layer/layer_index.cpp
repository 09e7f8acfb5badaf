#include "layer/layer_table.hpp"
#include <tektii/layer/layer_index.hpp>

namespace tektii::layer {

std::string LayerIndex::serialise() const {
  return LayerTable::build(*this)->serialised();
}

LayerIndex LayerIndex::parse(std::string_view text) {
  const auto table = LayerTable::parse(std::string(text));
  LayerIndex index;
  index.entries.reserve(table->size());
  for (std::size_t i = 0; i < table->size(); ++i) index.entries.push_back(table->entry(i));
  return index;
}

}  // namespace tektii::layer
