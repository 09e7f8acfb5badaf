#pragma once

#include <tektii/oci/ports.hpp>
#include <tektii/registry/client.hpp>

#include <filesystem>

namespace tektii::cli {

// Opens what a FROM or --from names, or a --build-context puts in its place: "oci-layout://DIR[:TAG]",
// "oci-archive:FILE[:TAG]", "docker-archive:FILE[:REFERENCE]", else a registry's image. An image of a layout has no
// name: a path of this machine must not get into annotations, or one commit would give two digests in two directories.
// `client` must outlive the images; `scratch` is a directory for temporary files.
oci::ImageOpener make_image_opener(registry::RegistryClient& client, std::filesystem::path scratch);

}  // namespace tektii::cli
