#pragma once

#include <tektii/oci/reference.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tektii::cli {

// Where an image is or goes to: a transport, and a name within it.
//   [docker://]REFERENCE            a repository of a registry
//   oci:DIR[:TAG|@DIGEST]           an OCI image layout; also oci-layout://DIR[:TAG|@DIGEST]
//   oci-archive:FILE[:TAG]          a tar of such a layout
//   docker-archive:FILE[:REFERENCE] what `docker save` writes
// FILE may be "-" as a destination: standard output.
struct ImageName {
  enum class Transport { registry, oci, oci_archive, docker_archive };
  Transport transport = Transport::registry;
  std::optional<oci::ImageReference> reference;  // of a registry; of docker-archive, where it may be missing
  std::filesystem::path path;                    // absolute, or "-"
  std::string tag;                               // of oci and oci-archive: tag or digest; may be empty

  // In a form that parses again.
  std::string str() const;
  bool is_registry() const { return transport == Transport::registry; }
  bool is_standard_output() const { return path == "-"; }
};

// Throws Error{usage}, which for a transport that does not exist says which one may be meant.
ImageName parse_image_name(const std::string& text);

// True when the text begins with one of the transports, however wrong the rest may be.
bool has_transport(const std::string& text);

// An archive that stands for a base image (--build-context); nullopt for every other text.
std::optional<ImageName> parse_archive_name(const std::string& text);

}  // namespace tektii::cli
