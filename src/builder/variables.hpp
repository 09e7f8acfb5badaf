#pragma once

#include <tektii/dockerfile/expand.hpp>
#include <tektii/dockerfile/instruction.hpp>
#include <tektii/oci/platform.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tektii::builder {

using BuildArgs = std::map<std::string, std::string>;

// True for the proxy variables that need no ARG, reach RUN, and stay out of history and cache keys.
bool is_predefined_arg(std::string_view name);

// True for arguments that speak to the builder and need no ARG: BUILDKIT_INLINE_CACHE, SOURCE_DATE_EPOCH and the like.
bool is_builder_arg(std::string_view name);

// Why a --build-arg that speaks to BuildKit has no effect here; nullopt for all others, and for a value that turns off
// what is not there anyway.
std::optional<std::string_view> why_without_effect(std::string_view name, std::string_view value);

// The host name that commands see: BUILDKIT_SANDBOX_HOSTNAME, else the one that BuildKit gives them.
std::string sandbox_host_name(const BuildArgs& build_args);

// TARGETPLATFORM, BUILDARCH and their kin; `stage_name` fills TARGETSTAGE ("default" when empty).
std::map<std::string, std::string> platform_args(const oci::Platform& platform, const std::string& stage_name);

// The variables of one scope (before the first FROM, or one stage) as instructions see them: the last definition wins,
// whether it came from the base image, ENV or ARG (BuildKit keeps one state environment in just this way).
class Variables {
 public:
  Variables(const BuildArgs& build_args, std::map<std::string, std::string> global_args)
      : build_args_(&build_args), global_args_(std::move(global_args)) {}

  void set_env(const std::string& name, const std::string& value);
  // ARG name[=default]: --build-arg, then the default, then the value of the global scope. Returns the value, if any.
  std::optional<std::string> declare_arg(const std::string& name, const std::optional<std::string>& default_value);
  // True when a --build-arg gives the value, so that a default does not matter (and is not expanded).
  bool is_given(const std::string& name) const { return build_args_->contains(name); }

  dockerfile::Lookup lookup() const;
  std::optional<std::string> get(std::string_view name) const;

  // Name and value of the ARGs that have a value and are no ENV, sorted: what RUN gets beside the image's environment.
  // A proxy variable is among them only where an ARG declares it.
  std::vector<std::pair<std::string, std::string>> run_args() const;
  // What the history of RUN shows: every ARG so far, those of the stages below first, each where it was declared first.
  // One without a value is empty, one that an ENV overrides has the value of the ENV.
  std::vector<std::pair<std::string, std::string>> history_args() const;
  // Proxies given as --build-arg in any spelling, as tools look for them: in upper and in lower case. For RUN only, and
  // without those that an ARG declares.
  std::vector<std::string> proxy_env() const;
  const std::map<std::string, std::string>& values() const { return values_; }

 private:
  const BuildArgs* build_args_;
  std::map<std::string, std::string> global_args_;
  std::map<std::string, std::string> values_;
  std::set<std::string> args_;                                 // names whose current value came from ARG
  std::vector<std::pair<std::string, std::string>> declared_;  // every ARG with its last value, in order
};

// Expands a word of an instruction; errors carry the instruction's span.
std::string expand(const dockerfile::Dockerfile& file, const dockerfile::Instruction& instruction,
                   std::string_view word, const Variables& variables);
// The same, and nullopt when a variable is not known, also where a default stands in for it: it may come from a base
// image that was not looked up yet.
std::optional<std::string> expand_if_known(const dockerfile::Dockerfile& file,
                                           const dockerfile::Instruction& instruction, std::string_view word,
                                           const Variables& variables);

}  // namespace tektii::builder
