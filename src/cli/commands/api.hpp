#pragma once

#include "cli/context.hpp"

#include <string>
#include <vector>

namespace tektii::cli {

struct ApiCallOptions {
  std::string method;
  std::string path;
  std::vector<std::string> fields;  // "name=value"
  std::string input;                // a file, "-" for standard input
};

// `tektii api METHOD PATH`: a call with the key, for endpoints that no command knows.
void setup_api(CLI::App& root, CommandContext& context);

// Fields go into the query of GET, HEAD and DELETE and into a JSON object otherwise.
int run_api_call(const ApiCallOptions& options, CommandContext& context);

}  // namespace tektii::cli
