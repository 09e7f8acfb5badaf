#pragma once

#include <tektii/oci/attestation.hpp>
#include <tektii/oci/image.hpp>
#include <tektii/store/blob_store.hpp>

#include <filesystem>
#include <string>

namespace tektii::layer {

// Writes an oci-archive: a tar of an OCI layout with one image, reproducible, with a docker manifest.json beside so
// that `docker load` takes it. Written to a temporary name and renamed. `tags` are full references; may be empty. With
// `attested`, what stands in index.json is its index.
void write_oci_archive(const std::filesystem::path& file, const oci::SealedImage& image, store::BlobStore& blobs,
                       const std::vector<std::string>& tags, const oci::AttestedImage* attested = nullptr);

}  // namespace tektii::layer
