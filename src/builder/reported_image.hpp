#pragma once

#include <tektii/builder/progress.hpp>
#include <tektii/oci/ports.hpp>

#include <memory>

namespace tektii::builder {

// An image of which every blob that is fetched is a step of its own, with its bytes. The sink outlives it.
std::shared_ptr<oci::ImageSource> report_fetches(std::unique_ptr<oci::ImageSource> image, ProgressSink& progress);

}  // namespace tektii::builder
