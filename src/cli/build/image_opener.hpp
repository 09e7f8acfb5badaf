#pragma once

#include "options.hpp"
#include <tektii/oci/ports.hpp>
#include <tektii/registry/client.hpp>

#include <map>
#include <string>

namespace tektii::cli {

// Opens what a FROM or --from names: a layout that --build-context put in its place, "oci-layout://DIR[:TAG]", else a
// registry's image. `client` must outlive the images.
oci::ImageOpener make_image_opener(std::map<std::string, LayoutContext> layouts, registry::RegistryClient& client);

}  // namespace tektii::cli
