#pragma once

#include <tektii/dockerfile/instruction.hpp>

#include <map>
#include <string>
#include <vector>

// What a Dockerfile offers to those who build it: `--call=outline` and `--call=targets`. Descriptions are comments
// right above a FROM ... AS or an ARG that begin with its name.
namespace tektii::dockerfile {

struct OutlineArg {
  std::string name;
  std::string value;  // the default, or what a build argument gives
  std::string description;
  LineRange lines;
};

// A secret or an SSH agent that some RUN mounts.
struct OutlineMount {
  std::string name;
  bool required = false;
  LineRange lines;
};

// What the target takes, with all the stages that it needs; each list in the order of the file, each name once.
struct Outline {
  std::string name;  // of the target; empty when it has none
  std::string description;
  std::vector<OutlineArg> args;
  std::vector<OutlineMount> secrets;
  std::vector<OutlineMount> ssh;
  std::vector<OutlineMount> caches;  // named by their id
};

struct OutlineInput {
  std::map<std::string, std::string> build_args;
  std::map<std::string, std::string> platform_args;  // TARGETPLATFORM and its kin
  std::string target;                                // empty: the last stage
};

// Looks no image up: a variable that only a base image sets is empty. Throws Error{usage} with a span.
Outline outline(const Dockerfile& file, const OutlineInput& input);

struct OutlineTarget {
  std::string name;  // empty when it has none
  std::string description;
  std::string base;      // as written
  std::string platform;  // as written
  bool is_default = false;
  LineRange lines;
};

std::vector<OutlineTarget> list_targets(const Dockerfile& file);

}  // namespace tektii::dockerfile
