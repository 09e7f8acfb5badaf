#pragma once

#include <tektii/builder/request.hpp>
#include <tektii/dockerfile/lint.hpp>
#include <tektii/dockerfile/outline.hpp>
#include <tektii/oci/ports.hpp>

#include <stop_token>
#include <string>
#include <vector>

namespace tektii::builder {

struct DockerfileCheck {
  dockerfile::Dockerfile file;
  dockerfile::LintReport report;
  std::vector<std::string> unreachable;  // "IMAGE: REASON" of each base that could not be looked up
};

// Lints the Dockerfile of a request, without building and without reading the context: every stage, or what
// request.target needs. Base images are looked up (their config alone); one that is not to be had is no error, but the
// checks that need it are left out. A file that can't be parsed is a problem of the report. Throws Error{usage} when
// its check options are malformed.
DockerfileCheck check_dockerfile(const BuildRequest& request, const oci::ImageOpener& open_image,
                                 const std::stop_token& stop);

// Throws what build_image throws when the check options of the Dockerfile, or of a build argument, turn warnings into
// errors and there are some; without such options it looks nothing up.
void require_no_warnings(const BuildRequest& request, const oci::ImageOpener& open_image, const std::stop_token& stop);

// What the target of a request takes. Throws Error{usage}.
dockerfile::Outline outline_dockerfile(const BuildRequest& request);

}  // namespace tektii::builder
