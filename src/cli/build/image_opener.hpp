#pragma once

#include <map>
#include <string>

#include <tektii/oci/ports.hpp>
#include <tektii/registry/client.hpp>

#include "options.hpp"

namespace tektii::cli {

// Opens what a FROM or --from names: a layout that --build-context put in its place, "oci-layout://DIR[:TAG]", else a
// registry's image. `client` must outlive the images.
oci::ImageOpener make_image_opener(std::map<std::string, LayoutContext> layouts, registry::RegistryClient& client);

}  // namespace tektii::cli
