#pragma once

#include <tektii/oci/platform.hpp>

#include <map>
#include <string>
#include <vector>

namespace tektii::cli {

// What the values of --annotation say, by where it goes.
struct Annotations {
  using Values = std::map<std::string, std::string>;
  Values manifest;
  Values manifest_descriptor;  // of the manifest, where an index or a layout names it
  Values index;
  Values index_descriptor;  // of the index, where a layout names it
};

// buildx's form: "[LEVEL[,LEVEL...]:]KEY=VALUE" with the levels manifest (which is the default), index,
// manifest-descriptor and index-descriptor; those of a manifest may name its platform, "manifest[linux/amd64]". Throws
// Error{usage} for anything else, and for a platform that is not built.
Annotations parse_annotations(const std::vector<std::string>& given, const oci::Platform& platform);

// Where the annotations of a build can go.
struct AnnotationPlaces {
  bool has_index = false;   // the image is pushed or written below an index of its own
  bool has_layout = false;  // it is written to an OCI layout
};

// Throws Error{usage} when one could go nowhere: it would be lost without a word.
void require_places(const Annotations& annotations, const AnnotationPlaces& places);

}  // namespace tektii::cli
