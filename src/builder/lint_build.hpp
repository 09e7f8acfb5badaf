#pragma once

#include <tektii/builder/request.hpp>
#include <tektii/dockerfile/lint.hpp>
#include <tektii/oci/image_config.hpp>

#include <functional>
#include <optional>

namespace tektii::builder {

// The config of the image that a stage's FROM names, or nullopt when it is not known.
using BaseConfig = std::function<std::optional<oci::ImageConfig>(const dockerfile::FromImage& from)>;

// Lints what a build reaches. Throws Error{usage} when the check options are malformed, or when they turn warnings into
// errors and there are some; to be called before the first step.
dockerfile::LintReport lint_build(const BuildRequest& request, const dockerfile::Dockerfile& file,
                                  const BaseConfig& base_config);

}  // namespace tektii::builder
