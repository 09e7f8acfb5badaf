#include "attestations.hpp"

#include "package_scan.hpp"
#include "remote_source.hpp"
#include <tektii/attest/spdx.hpp>
#include <tektii/attest/statement.hpp>
#include <tektii/builder/sources.hpp>
#include <tektii/oci/reference.hpp>
#include <tektii/util/clock.hpp>
#include <tektii/util/error.hpp>

#include <chrono>
#include <utility>
#include <variant>
#include <vector>

namespace tektii::builder {
namespace {

bool reaches_network(const dockerfile::Instruction& instruction, const BuildRequest& request) {
  const auto* run = std::get_if<dockerfile::Run>(&instruction.body);
  return run != nullptr && run->network.value_or(request.default_network) != "none";
}

bool any_reaches_network(const BuildSession& session) {
  for (const auto& [index, stage] : session.plan.stages) {
    for (const auto& instruction : stage.triggers) {
      if (reaches_network(instruction, session.request)) return true;
    }
    for (const auto& instruction : stage.instructions()) {
      if (reaches_network(instruction, session.request)) return true;
    }
  }
  return false;
}

// What is opened, unless that is a path of this machine: then what the Dockerfile calls it.
std::string public_name(const BuildRequest& request, const std::string& opened_name) {
  const bool is_local = opened_name.find("://") != std::string::npos;
  return is_local ? image_key(request, opened_name) : full_image_name(opened_name);
}

std::vector<attest::Material> materials_of(const BuildSession& session, const OpenedImages& images) {
  const auto& request = session.request;
  const auto taken = session.deps.materials->materials();
  std::vector<attest::Material> materials(taken.begin(), taken.end());
  for (const auto& [name, image] : images) {
    materials.push_back(
        attest::image_material(public_name(request, name), request.platform, image.resolved.manifest.digest));
  }
  const auto& attestations = request.attestations;
  if (!attestations.context_commit.empty()) {
    materials.push_back(attest::commit_material(attestations.context_uri, attestations.context_commit));
  }
  return materials;
}

// Directories of this machine, whose content has no name elsewhere.
std::vector<std::string> locals_of(const BuildRequest& request) {
  std::vector<std::string> locals;
  if (request.attestations.context_uri.empty()) locals = {"context", "dockerfile"};
  for (const auto& [name, context] : request.named_contexts) {
    if (context.kind == NamedContext::Kind::directory) locals.push_back(name);
  }
  return locals;
}

std::int64_t now() {
  const auto since_1970 = SystemClock().now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(since_1970).count();
}

attest::Provenance provenance_of(const BuildSession& session, const OpenedImages& images) {
  const auto& request = session.request;
  const auto& asked = *request.attestations.provenance;
  attest::Provenance provenance;
  provenance.version = asked.version;
  provenance.mode = asked.mode;
  provenance.builder_id = asked.builder_id;
  provenance.reproducible = asked.reproducible;
  provenance.dockerfile_name = request.dockerfile_name;
  provenance.dockerfile_text = request.dockerfile_text;
  provenance.context_uri = request.attestations.context_uri;
  provenance.context_commit = request.attestations.context_commit;
  provenance.build_args = request.build_args;
  provenance.labels = request.labels;
  provenance.target = request.target;
  for (const auto& [id, source] : request.secrets) provenance.secrets.push_back(id);
  for (const auto& [id, socket] : request.ssh_agents) provenance.ssh.push_back(id);
  provenance.locals = locals_of(request);
  provenance.platform = request.platform;
  provenance.materials = materials_of(session, images);
  provenance.used_network = any_reaches_network(session);
  if (asked.started) provenance.times = attest::Times{*asked.started, now()};
  if (!request.attestations.revision.empty()) provenance.vcs["revision"] = request.attestations.revision;
  return provenance;
}

attest::Statement bill_of_materials(BuildSession& session, const oci::SealedImage& image) {
  ProgressStep report(session.deps.progress, "[internal] list the packages of the image", session.was_stopped());
  report.begin(Activity::read_files);
  auto& stack = session.stages.at(session.plan.target)->stack;
  const auto files = make_stage_source(stack, session.deps.snapshots, session.fetcher, session.stop);
  auto found = scan_packages(*files, session.stop);
  const auto spdx = attest::make_spdx(
      {image.manifest.digest, session.request.created, std::move(found.distribution), std::move(found.packages)});
  report.finish(StepOutcome::done);
  return attest::make_statement(attest::k_predicate_spdx, spdx, image.manifest.digest);
}

}  // namespace

oci::AttestedImage attest_build(BuildSession& session, const OpenedImages& images, const oci::SealedImage& image) {
  const auto& asked = session.request.attestations;
  std::vector<oci::AttestationLayer> layers;
  const auto add = [&](attest::Statement statement) {
    layers.push_back({std::move(statement.predicate_type), std::move(statement.bytes)});
  };
  if (asked.sbom) add(bill_of_materials(session, image));
  if (asked.provenance) {
    const auto provenance = provenance_of(session, images);
    add(attest::make_statement(attest::predicate_type_of(provenance.version), attest::make_provenance(provenance),
                               image.manifest.digest));
  }
  auto attested = oci::attest_image(image, session.request.platform, layers,
                                    {.as_artifact = asked.as_artifact, .index_annotations = asked.index_annotations});
  attested.index.descriptor.annotations = asked.index_descriptor_annotations;
  return attested;
}

}  // namespace tektii::builder
