#include "attest/purl.hpp"
#include <tektii/attest/provenance.hpp>
#include <tektii/attest/statement.hpp>
#include <tektii/oci/reference.hpp>
#include <tektii/util/clock.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <tuple>
#include <utility>

namespace tektii::attest {
namespace {

using Json = nlohmann::ordered_json;

// Names that mean the Docker Hub leave it out, as in the purl of a familiar name.
std::pair<std::string, std::string> familiar_parts(const oci::ImageReference& reference) {
  std::string path = reference.repository;
  if (reference.registry != "docker.io") {
    path = reference.registry + "/" + path;
  } else if (path.starts_with("library/")) {
    path = path.substr(std::string_view("library/").size());
  }
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

Json digest_set(const std::string& algorithm, const std::string& hex) {
  return Json{{algorithm, hex}};
}

Json materials_of(const Provenance& provenance) {
  auto sorted = provenance.materials;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  auto array = Json::array();
  for (const auto& material : sorted) {
    array.push_back({{"uri", material.uri}, {"digest", digest_set(material.algorithm, material.digest)}});
  }
  return array;
}

Json request_of(const Provenance& provenance) {
  const bool all = provenance.mode == Provenance::Mode::max;
  Json request = {{"frontend", "dockerfile.v0"}};
  std::map<std::string, std::string> args;
  if (!provenance.target.empty()) args["target"] = provenance.target;
  if (all) {
    for (const auto& [name, value] : provenance.build_args) args["build-arg:" + name] = value;
    for (const auto& [name, value] : provenance.labels) args["label:" + name] = value;
    for (const auto& id : provenance.secrets) request["secrets"].push_back({{"id", id}, {"optional", true}});
    for (const auto& id : provenance.ssh) request["ssh"].push_back({{"id", id}, {"optional", true}});
  }
  if (!args.empty()) request["args"] = args;
  for (const auto& name : provenance.locals) request["locals"].push_back({{"name", name}});
  return request;
}

// Everything that was asked for is told.
bool is_complete_request(const Provenance& provenance) {
  return provenance.mode == Provenance::Mode::max || (provenance.build_args.empty() && provenance.labels.empty());
}

// A local directory has no digest that could be named.
bool has_all_materials(const Provenance& provenance) {
  return provenance.locals.empty() && !provenance.used_network;
}

Json buildkit_metadata_of(const Provenance& provenance) {
  Json metadata = Json::object();
  if (!provenance.vcs.empty()) metadata["vcs"] = provenance.vcs;
  if (provenance.mode == Provenance::Mode::max) {
    Json info = {{"filename", provenance.dockerfile_name},
                 {"language", "Dockerfile"},
                 {"data", base64_encode(provenance.dockerfile_text)}};
    metadata["source"]["infos"] = Json::array({std::move(info)});
  }
  return metadata;
}

Json config_source_of(const Provenance& provenance, const char* path_name) {
  Json source = Json::object();
  if (!provenance.context_uri.empty()) source["uri"] = provenance.context_uri;
  if (const auto& commit = provenance.context_commit; !commit.empty()) {
    source["digest"] = digest_set(commit.size() == 64 ? "sha256" : "sha1", commit);
  }
  source[path_name] = provenance.dockerfile_name;
  return source;
}

Json slsa_1(const Provenance& provenance) {
  Json metadata = Json::object();
  if (provenance.times) {
    metadata["startedOn"] = format_rfc3339(provenance.times->started);
    metadata["finishedOn"] = format_rfc3339(provenance.times->finished);
  }
  metadata["buildkit_metadata"] = buildkit_metadata_of(provenance);
  if (has_all_materials(provenance)) metadata["buildkit_hermetic"] = true;
  metadata["buildkit_completeness"] = {{"request", is_complete_request(provenance)},
                                       {"resolvedDependencies", has_all_materials(provenance)}};
  if (provenance.reproducible) metadata["buildkit_reproducible"] = true;
  const auto platform = provenance.platform.str();
  Json json;
  json["buildDefinition"] = {
      {"buildType", "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md"},
      {"externalParameters",
       {{"configSource", config_source_of(provenance, "path")}, {"request", request_of(provenance)}}},
      {"internalParameters", {{"builderPlatform", platform}, {"targetPlatform", platform}}},
      {"resolvedDependencies", materials_of(provenance)}};
  json["runDetails"] = {{"builder", {{"id", provenance.builder_id}}}, {"metadata", std::move(metadata)}};
  return json;
}

Json slsa_02(const Provenance& provenance) {
  Json metadata = Json::object();
  if (provenance.times) {
    metadata["buildStartedOn"] = format_rfc3339(provenance.times->started);
    metadata["buildFinishedOn"] = format_rfc3339(provenance.times->finished);
  }
  metadata["completeness"] = {{"parameters", is_complete_request(provenance)},
                              {"environment", true},
                              {"materials", has_all_materials(provenance)}};
  metadata["reproducible"] = provenance.reproducible;
  metadata["https://mobyproject.org/buildkit@v1#metadata"] = buildkit_metadata_of(provenance);
  if (has_all_materials(provenance)) metadata["https://mobyproject.org/buildkit@v1#hermetic"] = true;
  Json json;
  json["builder"] = {{"id", provenance.builder_id}};
  json["buildType"] = "https://mobyproject.org/buildkit@v1";
  json["materials"] = materials_of(provenance);
  json["invocation"] = {{"configSource", config_source_of(provenance, "entryPoint")},
                        {"parameters", request_of(provenance)},
                        {"environment", {{"platform", provenance.platform.str()}}}};
  json["metadata"] = std::move(metadata);
  return json;
}

}  // namespace

Material image_material(std::string_view name, const oci::Platform& platform, const oci::Digest& digest) {
  PackageUrl url;
  url.type = "docker";
  try {
    const auto reference = oci::ImageReference::parse(name);
    std::tie(url.name_space, url.name) = familiar_parts(reference);
    url.version = reference.tag;
    if (reference.digest) url.qualifiers.emplace_back("digest", reference.digest->str());
  } catch (const Error&) {
    // A layout of this machine: what it is called here tells nobody anything.
    url.type = "oci";
    url.name = "image";
    url.version = digest.str();
  }
  url.qualifiers.emplace_back("platform", platform.str());
  return {url.str(), "sha256", std::string(digest.hex())};
}

Material file_material(std::string url, const oci::Digest& digest) {
  return {std::move(url), "sha256", std::string(digest.hex())};
}

Material commit_material(std::string remote_and_ref, std::string commit) {
  const auto* algorithm = commit.size() == 64 ? "sha256" : "sha1";
  return {std::move(remote_and_ref), algorithm, std::move(commit)};
}

std::string make_provenance(const Provenance& provenance) {
  const auto json = provenance.version == Provenance::Version::slsa_1 ? slsa_1(provenance) : slsa_02(provenance);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string_view predicate_type_of(Provenance::Version version) {
  return version == Provenance::Version::slsa_1 ? k_predicate_slsa_1 : k_predicate_slsa_02;
}

}  // namespace tektii::attest
