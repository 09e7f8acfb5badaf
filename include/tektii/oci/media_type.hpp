#pragma once

#include <string_view>

namespace tektii::oci {

inline constexpr std::string_view k_media_manifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view k_media_index = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view k_media_config = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view k_media_layer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view k_media_layer_gzip = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view k_media_layer_zstd = "application/vnd.oci.image.layer.v1.tar+zstd";
inline constexpr std::string_view k_media_docker_manifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view k_media_docker_list = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view k_media_docker_config = "application/vnd.docker.container.image.v1+json";
inline constexpr std::string_view k_media_docker_layer = "application/vnd.docker.image.rootfs.diff.tar.gzip";

bool is_index(std::string_view media_type);     // OCI index or Docker manifest list
bool is_manifest(std::string_view media_type);  // OCI manifest or Docker schema 2 manifest
bool is_layer(std::string_view media_type);     // any layer type that we can read

// The OCI name for a Docker layer or config type (the bytes are the same); others come back unchanged.
std::string_view to_oci_media_type(std::string_view media_type);

}  // namespace tektii::oci
