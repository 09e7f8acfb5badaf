#pragma once

#include <tektii/builder/request.hpp>
#include <tektii/dockerfile/instruction.hpp>

#include <map>
#include <optional>
#include <string>

namespace tektii::builder {

// What a FROM or a --from names.
struct SourceName {
  enum class Kind { scratch, stage, directory, image };
  Kind kind = Kind::image;
  int stage = -1;           // Kind::stage
  std::string name;         // Kind::image: as it is opened; Kind::directory: the key in BuildRequest::named_contexts
  std::string written;      // as the Dockerfile writes it
  bool is_context = false;  // a --build-context stands in for the name
};

// The last stage of that name among the first `before`, compared without case.
std::optional<int> find_stage(const dockerfile::Dockerfile& file, const std::string& name, int before);

// The form that all spellings of an image's name share: "docker.io/library/python:latest" for "python". What is no
// image reference (some names of stages) stands for itself.
std::string full_image_name(const std::string& name);

// The --build-context that takes the place of a name. Names of images are compared in their full form: "python" is
// "docker.io/library/python:latest". "scratch" and "context" can't be replaced (dockerui of BuildKit).
std::optional<SourceName> find_named_context(const BuildRequest& request, const std::string& name);

// What an expanded FROM names, seen from stage `index`: a --build-context of the name of an earlier stage takes its
// place.
SourceName resolve_base_name(const dockerfile::Dockerfile& file, const BuildRequest& request, int index,
                             const std::string& name);

// What a --from of COPY or of a mount names, seen from stage `index`. Throws Error{usage}.
SourceName resolve_from_name(const dockerfile::Dockerfile& file, const BuildRequest& request, int index,
                             const std::string& from);

// The index of the stage to build: the last one, or what --target names, by name without case or by number.
int find_target(const dockerfile::Dockerfile& file, const std::string& target);

}  // namespace tektii::builder
