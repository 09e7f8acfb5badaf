#include "lint_build.hpp"

#include "names.hpp"
#include "variables.hpp"
#include <tektii/builder/lint.hpp>
#include <tektii/fs/ignore.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace tektii::builder {
namespace {

// What CopyIgnoredFile needs to know of an ignore file. With negations it does not run, as in BuildKit: a file below an
// excluded directory may come back.
std::function<bool(const std::string&)> exclusion_test(const BuildRequest& request) {
  bool excludes_root = false;
  for (const std::string& line : split(request.ignore_text, '\n')) {
    const std::string_view pattern = trim(line);
    if (!line.starts_with('#') && pattern.starts_with('!')) return {};
    excludes_root = excludes_root || pattern == "*" || pattern == "**" || pattern == "**/*";
  }
  const auto patterns = fs::IgnorePatterns::parse(request.ignore_text, request.ignore_name);
  if (patterns.empty()) return {};
  return [patterns, excludes_root](const std::string& path) {
    return path == "." ? excludes_root : patterns.matches(path);
  };
}

dockerfile::LintFacts facts_of(const BuildRequest& request) {
  dockerfile::LintFacts facts;
  facts.build_args = request.build_args;
  facts.platform_args = platform_args(request.platform, request.target);
  facts.target = request.target;
  facts.is_excluded = exclusion_test(request);
  return facts;
}

dockerfile::BaseImageFacts facts_of(const oci::ImageConfig& config) {
  dockerfile::BaseImageFacts facts;
  facts.env = config.config.env;
  facts.on_build = config.config.on_build;
  facts.has_shell = !config.config.shell.empty();
  return facts;
}

// Looks bases up for a check, each once.
class BaseLookup {
 public:
  BaseLookup(const BuildRequest& request, const oci::ImageOpener& open_image, std::stop_token stop)
      : request_(request), open_image_(open_image), stop_(std::move(stop)) {}

  std::optional<dockerfile::BaseImageFacts> find(const dockerfile::FromImage& from) {
    const auto key = std::pair(from.image, from.platform);
    if (const auto known = known_.find(key); known != known_.end()) return known->second;
    return known_[key] = look_up(from);
  }
  std::vector<std::string> unreachable() const { return unreachable_; }

 private:
  std::optional<dockerfile::BaseImageFacts> look_up(const dockerfile::FromImage& from) {
    std::string name = from.image;
    if (const auto context = find_named_context(request_, name)) {
      if (context->kind != SourceName::Kind::image) return dockerfile::BaseImageFacts{};
      name = context->name;
    }
    const auto platform = from.platform.empty() ? request_.platform : oci::Platform::parse(from.platform);
    // A check is of use without its bases, too, so that only an interrupt ends it.
    try {
      return facts_of(open_image_(name)->resolve(platform, stop_).config);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) throw;
      if (const auto got = oci::mismatched_platforms(error); !got.empty()) {
        dockerfile::BaseImageFacts facts;
        facts.platform = got;
        facts.expected_platform = platform.str();
        return facts;
      }
      unreachable_.push_back(fmt::format("{}: {}", from.image, error.what()));
      return std::nullopt;
    }
  }

  const BuildRequest& request_;
  const oci::ImageOpener& open_image_;
  std::stop_token stop_;
  std::map<std::pair<std::string, std::string>, std::optional<dockerfile::BaseImageFacts>> known_;
  std::vector<std::string> unreachable_;
};

void refuse_warnings(const dockerfile::LintReport& report) {
  const std::string message = dockerfile::violation_message(report);
  if (message.empty()) return;
  Error error(ErrorKind::usage, message);
  for (const auto& warning : report.warnings) {
    error.add_hint(fmt::format("{}:{}: {}: {}", warning.span.file, warning.lines.first,
                               dockerfile::info_of(warning.rule).name, warning.message));
  }
  error.set_span(report.warnings.front().span);
  throw error.add_hint("check=error=true makes warnings errors; `tektii build --check` shows them in full");
}

}  // namespace

dockerfile::LintReport lint_build(const BuildRequest& request, const dockerfile::Dockerfile& file,
                                  const BaseConfig& base_config) {
  auto facts = facts_of(request);
  facts.base_image = [&](const dockerfile::FromImage& from) -> std::optional<dockerfile::BaseImageFacts> {
    const auto config = base_config(from);
    if (!config) return std::nullopt;
    return facts_of(*config);
  };
  auto report = dockerfile::lint(file, facts);
  refuse_warnings(report);
  return report;
}

void require_no_warnings(const BuildRequest& request, const oci::ImageOpener& open_image, const std::stop_token& stop) {
  const auto file = dockerfile::parse_dockerfile(request.dockerfile_text, request.dockerfile_name);
  if (!dockerfile::check_options_of(file, request.build_args).error) return;
  auto facts = facts_of(request);
  BaseLookup bases(request, open_image, stop);
  facts.base_image = [&](const dockerfile::FromImage& from) { return bases.find(from); };
  refuse_warnings(dockerfile::lint(file, facts));
}

DockerfileCheck check_dockerfile(const BuildRequest& request, const oci::ImageOpener& open_image,
                                 const std::stop_token& stop) {
  DockerfileCheck check;
  try {
    check.file = dockerfile::parse_dockerfile(request.dockerfile_text, request.dockerfile_name);
  } catch (const Error& error) {
    // A text that is no Dockerfile is a result of the check like any other.
    check.file.name = request.dockerfile_name;
    check.report.problem = error;
    return check;
  }
  auto facts = facts_of(request);
  // As in BuildKit: without a target every stage counts.
  facts.all_stages = request.target.empty();
  BaseLookup bases(request, open_image, stop);
  facts.base_image = [&](const dockerfile::FromImage& from) { return bases.find(from); };
  check.report = dockerfile::lint(check.file, facts);
  check.unreachable = bases.unreachable();
  return check;
}

dockerfile::Outline outline_dockerfile(const BuildRequest& request) {
  const auto file = dockerfile::parse_dockerfile(request.dockerfile_text, request.dockerfile_name);
  return dockerfile::outline(file,
                             {request.build_args, platform_args(request.platform, request.target), request.target});
}

}  // namespace tektii::builder
