#include "plan.hpp"
#include "stage_builder.hpp"
#include <tektii/builder/build.hpp>
#include <tektii/util/clock.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

namespace tektii::builder {
namespace {

std::shared_ptr<BlobFetcher> make_fetcher(const BuildDeps& deps) {
  return std::make_shared<BlobFetcher>(
      deps.blobs, [&progress = deps.progress](const oci::Layer& layer, const std::function<void()>& download) {
        ProgressStep step(progress, fmt::format("[internal] fetch layer {} ({})", layer.blob.digest.short_hex(),
                                                format_bytes(layer.blob.size)));
        download();
        step.finish(StepOutcome::done);
      });
}

}  // namespace

BuildResult build_image(const BuildRequest& request, const BuildDeps& deps, std::stop_token stop) {
  const Plan plan = make_plan(request, deps);
  const auto fetcher = make_fetcher(deps);
  BuildSession session{request, deps, plan, *fetcher, stop, {}, {}};
  for (const auto& [index, planned] : plan.stages) session.stages[index] = StageBuilder(session, index).build();

  auto& final = *session.stages.at(plan.target);
  final.config.created = format_rfc3339(request.source_date_epoch);
  final.config.platform = request.platform;
  final.config.diff_ids.clear();
  for (const auto& layer : final.stack.layers()) final.config.diff_ids.push_back(layer.diff_id);

  auto annotations = request.annotations;
  if (request.base_annotations && final.base_digest) {
    annotations.emplace("org.opencontainers.image.base.digest", final.base_digest->str());
    if (!final.base_name.empty()) annotations.emplace("org.opencontainers.image.base.name", final.base_name);
  }
  BuildResult result{oci::seal_image(final.config, final.stack.layers(), annotations), final.config, final.base_name,
                     final.base_digest, [fetcher](const oci::Layer& layer, const std::stop_token& token) {
                       fetcher->ensure(layer, token);
                     }};
  return result;
}

std::vector<std::string> check_build(const BuildRequest& request, const BuildDeps& deps) {
  return make_plan(request, deps).images;
}

}  // namespace tektii::builder
