#pragma once

#include "plan.hpp"
#include <tektii/builder/build.hpp>
#include <tektii/oci/descriptor.hpp>

#include <set>
#include <vector>

namespace tektii::builder {

// Tells BuildDeps::layer_sealed which layers the final image is going to have: those of the target stage and of the
// stages that it is built on, and of no others.
//
// They are held back until a step of these stages misses the cache. Before that the image may well be one that is where
// it should go already, which one look at its manifest tells; asking about its layers would be in vain.
//
// No lock: the stages of the image are built one after the other.
class SealedLayers {
 public:
  SealedLayers(const Plan& plan, const BuildDeps& deps, EnsureBlob ensure);

  // False for a stage whose layers are not those of the image.
  bool concerns(int stage) const { return stages_.contains(stage); }
  // The next layer of the image, from the lowest on.
  void add(const oci::Layer& layer);
  // A step missed the cache.
  void image_is_new();

 private:
  const BuildDeps& deps_;
  EnsureBlob ensure_;
  std::set<int> stages_;
  bool image_is_new_ = false;
  std::vector<oci::Layer> held_back_;
};

}  // namespace tektii::builder
