#include "sealed_layers.hpp"

#include <utility>

namespace tektii::builder {

SealedLayers::SealedLayers(const Plan& plan, const BuildDeps& deps, EnsureBlob ensure)
    : deps_(deps), ensure_(std::move(ensure)) {
  if (!deps_.layer_sealed) return;
  int stage = plan.target;
  while (stages_.insert(stage).second) {
    const auto& base = plan.stages.at(stage).base;
    if (base.kind != SourceName::Kind::stage) break;
    stage = base.stage;
  }
}

void SealedLayers::add(const oci::Layer& layer) {
  if (image_is_new_) {
    deps_.layer_sealed(layer, ensure_);
  } else {
    held_back_.push_back(layer);
  }
}

void SealedLayers::image_is_new() {
  if (std::exchange(image_is_new_, true)) return;
  for (const auto& layer : std::exchange(held_back_, {})) deps_.layer_sealed(layer, ensure_);
}

}  // namespace tektii::builder
