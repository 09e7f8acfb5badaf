#pragma once

#include <tektii/oci/content.hpp>
#include <tektii/oci/image.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::oci {

inline constexpr std::string_view k_media_in_toto = "application/vnd.in-toto+json";
inline constexpr std::string_view k_media_empty = "application/vnd.oci.empty.v1+json";
inline constexpr std::string_view k_attestation_artifact = "application/vnd.docker.attestation.manifest.v1+json";

// An in-toto statement that goes into an attestation manifest.
struct AttestationLayer {
  std::string predicate_type;
  std::string bytes;
};

// An image with an attestation manifest beside it, below an index: what is tagged is the index.
struct AttestedImage {
  Document index;
  Document manifest;            // of the attestations
  std::vector<Document> blobs;  // its config and layers
  bool is_artifact = false;     // the manifest names the image as its subject
};

struct AttestationForm {
  // An OCI artifact whose subject is the image, which the referrers API finds, or else an image manifest with a config
  // of no meaning (BuildKit's oci-artifact=true and false).
  bool as_artifact = true;
  std::map<std::string, std::string> index_annotations = {};
};

// BuildKit's layout (docs/attestations/attestation-storage.md there): the attestation manifest is an entry of the index
// for the platform unknown/unknown with the annotations vnd.docker.reference.type and .digest.
AttestedImage attest_image(const SealedImage& image, const Platform& platform,
                           const std::vector<AttestationLayer>& statements, const AttestationForm& form);

}  // namespace tektii::oci
