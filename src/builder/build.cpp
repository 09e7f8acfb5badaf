#include "attestations.hpp"
#include "base_images.hpp"
#include "cache_document.hpp"
#include "cache_import.hpp"
#include "lint_build.hpp"
#include "plan.hpp"
#include "stage_builder.hpp"
#include "stage_scheduler.hpp"
#include "variables.hpp"
#include <tektii/builder/build.hpp>
#include <tektii/util/clock.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <future>
#include <set>

namespace tektii::builder {
namespace {

// A --build-arg that no ARG takes is most often a typo; of those that speak to the builder, some ask for what is not
// there.
std::vector<std::string> unused_build_args(const BuildRequest& request, const Plan& plan) {
  std::set<std::string> declared;
  const auto note = [&](const dockerfile::Instruction& instruction) {
    const auto* arg = std::get_if<dockerfile::Arg>(&instruction.body);
    if (arg == nullptr) return;
    for (const auto& item : arg->items) declared.insert(item.name);
  };
  for (const auto& instruction : plan.file.global_args) note(instruction);
  for (const auto& stage : plan.file.stages) {
    for (const auto& instruction : stage.instructions) note(instruction);
  }
  for (const auto& [index, planned] : plan.stages) {
    for (const auto& instruction : planned.triggers) note(instruction);
  }
  const auto built_in = platform_args(request.platform, request.target);
  std::vector<std::string> warnings;
  for (const auto& [name, value] : request.build_args) {
    if (const auto reason = why_without_effect(name, value)) {
      warnings.push_back(fmt::format("--build-arg {} has no effect: {}", name, *reason));
      continue;
    }
    if (declared.contains(name) || built_in.contains(name) || is_predefined_arg(name) || is_builder_arg(name)) {
      continue;
    }
    const std::vector<std::string> names(declared.begin(), declared.end());
    const auto match = closest_match(name, names);
    warnings.push_back(fmt::format("--build-arg {} is not used: no ARG declares it{}", name,
                                   match ? fmt::format(". Did you mean {}?", *match) : ""));
  }
  return warnings;
}

// Lints with what the look-ups of the build know.
dockerfile::LintReport lint_session(BuildSession& session) {
  const auto& plan = session.plan;
  return lint_build(
      session.request, plan.file, [&](const dockerfile::FromImage& from) -> std::optional<oci::ImageConfig> {
        const auto stage = plan.stages.find(static_cast<int>(from.stage));
        if (stage == plan.stages.end()) return std::nullopt;
        const auto& base = stage->second.base;
        return base.kind == SourceName::Kind::image ? open_image(session, base.name)->config : oci::ImageConfig{};
      });
}

struct Looked {
  OpenedImages images;
  std::shared_ptr<ImportedCaches> caches;
};

// Looks up the images and reads the caches, all at once.
Looked look_up(Plan& plan, const BuildRequest& request, const BuildDeps& deps, const std::stop_token& stop) {
  std::stop_source reading;
  const std::stop_callback pass_on(stop, [&] { reading.request_stop(); });
  const bool any = !deps.caches.empty() && !request.no_cache;
  auto caches = std::async(any ? std::launch::async : std::launch::deferred, [&, token = reading.get_token()] {
    return ImportedCaches::read(any ? deps.caches : std::vector<CacheSource>{}, request.platform, deps.progress, token);
  });
  try {
    auto images = complete_plan(plan, request, deps, stop);
    return {std::move(images), caches.get()};
  } catch (...) {
    reading.request_stop();  // nobody waits for the caches any more
    throw;
  }
}

CacheRecords records_of_all(const BuildSession& session) {
  CacheRecords records;
  for (const auto& [index, stage] : session.stages) {
    records.steps.insert(stage->records.steps.begin(), stage->records.steps.end());
    records.contents.insert(stage->records.contents.begin(), stage->records.contents.end());
  }
  return records;
}

BuildResult build_plan(const Plan& plan, const Looked& looked, const BuildRequest& request, const BuildDeps& deps,
                       const std::stop_token& stop) {
  std::stop_source any_stage;  // stopped by the caller, or when a stage fails
  const std::stop_callback pass_on(stop, [&] { any_stage.request_stop(); });
  const auto fetcher = std::make_shared<BlobFetcher>(deps.blobs);
  const EnsureBlob ensure = [fetcher](const oci::Layer& layer, const std::stop_token& token) {
    fetcher->ensure(layer, token);
  };
  SealedLayers sealed(plan, deps, ensure);
  BuildSession session{request, deps, plan, *fetcher, sealed, *looked.caches, any_stage.get_token()};
  add_images(session, looked.images);
  auto lint = lint_session(session);
  build_stages(session, request.jobs, any_stage);

  auto& final = *session.stages.at(plan.target);
  final.config.created = format_rfc3339(request.created);
  final.config.platform = request.platform;
  for (const auto& [name, value] : request.labels) final.config.config.labels[name] = value;
  final.config.diff_ids.clear();
  for (const auto& layer : final.stack.layers()) final.config.diff_ids.push_back(layer.diff_id);

  if (request.inline_cache) {
    final.config.unknown[std::string(k_inline_cache)] = write_cache_document(final.records);
  }

  auto annotations = request.annotations;
  if (request.base_annotations && final.base_digest) {
    annotations.emplace("org.opencontainers.image.base.digest", final.base_digest->str());
    if (!final.base_name.empty()) annotations.emplace("org.opencontainers.image.base.name", final.base_name);
  }
  BuildResult result{oci::seal_image(final.config, final.stack.layers(), annotations), final.config, final.base_name,
                     final.base_digest, ensure};
  result.image.manifest.annotations = request.descriptor_annotations;
  result.warnings = unused_build_args(request, plan);
  for (const auto& note : lint.notes) {
    result.warnings.push_back(fmt::format("{}:{}: {}", plan.file.name, note.span.first_line, note.message));
  }
  result.lint_warnings = std::move(lint.warnings);
  for (auto& warning : looked.caches->warnings()) result.warnings.push_back(std::move(warning));
  result.image_steps = final.records;
  result.all_steps = records_of_all(session);
  if (request.attestations.any()) result.attested = attest_build(session, looked.images, result.image);
  return result;
}

}  // namespace

BuildResult build_image(const BuildRequest& request, const BuildDeps& given, const std::stop_token& stop) {
  Plan plan = make_plan(request, given);
  const auto looked = look_up(plan, request, given, stop);
  while (true) {
    MaterialLog materials;
    BuildDeps deps = given;
    deps.materials = &materials;
    try {
      return build_plan(plan, looked, request, deps, stop);
    } catch (const Error&) {
      // A cache no longer had a layer that it had offered. What was done since is in the local cache; the steps that
      // the layer came from are run now.
      if (stop.stop_requested() || !looked.caches->lost_layers()) throw;
    }
  }
}

std::vector<std::string> check_build(const BuildRequest& request, const BuildDeps& deps, const std::stop_token& stop) {
  Plan plan = make_plan(request, deps);
  complete_plan(plan, request, deps, stop);
  return plan.images;
}

}  // namespace tektii::builder
