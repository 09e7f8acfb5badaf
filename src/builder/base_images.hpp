#pragma once

#include "plan.hpp"
#include <tektii/oci/ports.hpp>

#include <map>
#include <memory>
#include <stop_token>
#include <string>

namespace tektii::builder {

// An image that was looked up; `source` fetches its layers.
struct OpenedImage {
  std::shared_ptr<oci::ImageSource> source;
  oci::ResolvedImage resolved;
};

// By the name that it was opened with.
using OpenedImages = std::map<std::string, OpenedImage>;

// The second half of planning: looks up every image of the plan, all at once, and plans what their ONBUILD triggers
// say, which may need further images. Throws the first problem of the triggers with the others as hints.
OpenedImages complete_plan(Plan& plan, const BuildRequest& request, const BuildDeps& deps, const std::stop_token& stop);

}  // namespace tektii::builder
