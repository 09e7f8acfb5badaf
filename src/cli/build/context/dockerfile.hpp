#pragma once

#include "loader.hpp"
#include <tektii/builder/request.hpp>

#include <string>

namespace tektii::cli {

// Which Dockerfile is asked for.
struct DockerfileChoice {
  std::string context;    // as given, for messages
  std::string file;       // of --file; empty: the context's own
  std::string file_flag;  // its name, for hints
};

// Throws Error{usage} for what can't be before anything is loaded: context and Dockerfile both on standard input.
void check_choice(const DockerfileChoice& choice);

// Fills in the text and name of the Dockerfile and of the ignore file that goes with it.
//
// --file is a path of this machine for a directory, and a path in the context for every other one (an absolute path and
// "-" are this machine's everywhere, and http(s) URLs are downloaded). Without it, it is "Dockerfile" or else
// "dockerfile" of the context. The ignore file is "<Dockerfile>.dockerignore" beside it, else ".dockerignore" of the
// context; both files may be excluded by it and are used all the same.
void read_dockerfile(const DockerfileChoice& choice, const Context& context, ContextLoader& loader,
                     builder::BuildRequest& request);

}  // namespace tektii::cli
