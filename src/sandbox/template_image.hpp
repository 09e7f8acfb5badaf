#pragma once

#include "sandbox/manifest_routes.hpp"
#include "sandbox/model.hpp"
#include "sandbox/repository_store.hpp"
#include <tektii/store/store.hpp>

namespace tektii::sandbox {

// Stands in for the image that the platform builds from one of its templates: no layers, and a label with the name.
void publish_template_image(const Version& version, store::Store& store, RepositoryStore& repositories,
                            ManifestRoutes& manifests);

}  // namespace tektii::sandbox
