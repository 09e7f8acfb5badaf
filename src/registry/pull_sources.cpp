#include "registry/pull_sources.hpp"

#include <spdlog/spdlog.h>

namespace tektii::registry {

PullSources::PullSources(ClientState& state, const oci::ImageReference& reference) {
  if (state.hosts == nullptr) {
    sources_.push_back({RegistrySession(state, reference.registry, reference.repository)});
    return;
  }
  for (const auto& place : state.hosts->pull_places(reference.registry, reference.repository)) {
    sources_.push_back({RegistrySession(state, place), place.asked_by_tag, place.asked_by_digest});
  }
}

std::size_t PullSources::next_of(std::size_t index, bool by_tag) const {
  const auto is_asked = [&](const Source& source) {
    return (by_tag ? source.by_tag : source.by_digest) &&
           !source.session.state().broken_mirrors.has(source.session.name());
  };
  while (is_mirror(index) && !is_asked(sources_[index])) ++index;
  return index;
}

std::size_t PullSources::skip(std::size_t mirror, const std::string& reason, bool is_broken) const {
  const auto& session = at(mirror);
  spdlog::info("mirror {}: {}; the next one is asked", session.name(), reason);
  if (is_broken) session.state().broken_mirrors.add(session.name());
  return mirror + 1;
}

std::size_t PullSources::after(std::size_t mirror, const std::string& reason, bool is_broken) const {
  return next_of(skip(mirror, reason, is_broken), false);
}

}  // namespace tektii::registry
