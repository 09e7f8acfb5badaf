#include <tektii/oci/media_type.hpp>

namespace tektii::oci {

namespace {

// What `docker save` and dockerd with the containerd store write for layers that are not gzip.
constexpr std::string_view k_media_docker_layer_plain = "application/vnd.docker.image.rootfs.diff.tar";
constexpr std::string_view k_media_docker_layer_zstd = "application/vnd.docker.image.rootfs.diff.tar.zstd";

}  // namespace

bool is_index(std::string_view media_type) {
  return media_type == k_media_index || media_type == k_media_docker_list;
}

bool is_manifest(std::string_view media_type) {
  return media_type == k_media_manifest || media_type == k_media_docker_manifest;
}

// Foreign and non-distributable layers are left out: their bytes are not in the registry.
bool is_layer(std::string_view media_type) {
  const auto oci_type = to_oci_media_type(media_type);
  return oci_type == k_media_layer || oci_type == k_media_layer_gzip || oci_type == k_media_layer_zstd;
}

std::string_view to_oci_media_type(std::string_view media_type) {
  if (media_type == k_media_docker_layer) return k_media_layer_gzip;
  if (media_type == k_media_docker_layer_plain) return k_media_layer;
  if (media_type == k_media_docker_layer_zstd) return k_media_layer_zstd;
  if (media_type == k_media_docker_config) return k_media_config;
  return media_type;
}

}  // namespace tektii::oci
