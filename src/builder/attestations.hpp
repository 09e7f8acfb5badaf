#pragma once

#include "base_images.hpp"
#include "stage_builder.hpp"
#include <tektii/oci/attestation.hpp>

namespace tektii::builder {

// Makes the attestations that the request of a session asks for, once its stages are finished.
oci::AttestedImage attest_build(BuildSession& session, const OpenedImages& images, const oci::SealedImage& image);

}  // namespace tektii::builder
