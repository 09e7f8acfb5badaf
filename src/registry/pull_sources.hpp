#pragma once

#include "registry/session.hpp"
#include <tektii/oci/reference.hpp>

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace tektii::registry {

// The servers that may have the content of an image: mirrors in their order, then the registry itself, whose word is
// final. What a mirror fails at is noted and asked of the next; from then on an image is asked of the one that
// answered. Thread-safe.
class PullSources {
 public:
  PullSources(ClientState& state, const oci::ImageReference& reference);

  const RegistrySession& home() const { return sources_.back().session; }
  const RegistrySession& at(std::size_t index) const { return sources_[index].session; }
  bool is_mirror(std::size_t index) const { return index + 1 < sources_.size(); }

  // The first that is asked for content by digest.
  std::size_t first() const { return next_of(answered_.load(), false); }
  // The one after a mirror that failed, whose reason is noted. `is_broken`: it is not asked again in this run.
  std::size_t after(std::size_t mirror, const std::string& reason, bool is_broken) const;

  // `ask(session, is_mirror)` gives an optional: without a value when the server does not have it.
  template <typename Ask>
  auto find(bool by_tag, const Ask& ask) const -> decltype(ask(home(), true)) {
    std::size_t index = next_of(by_tag ? 0 : answered_.load(), by_tag);
    while (is_mirror(index)) {
      std::string reason = "it is not there";
      bool is_broken = false;
      try {
        if (auto found = ask(at(index), true)) {
          answered_ = index;
          return found;
        }
      } catch (const net::TransportError& error) {
        reason = error.what();
        is_broken = true;
      } catch (const Error& error) {
        if (error.kind() == ErrorKind::interrupted) throw;
        reason = error.what();
      }
      index = next_of(skip(index, reason, is_broken), by_tag);
    }
    answered_ = index;
    return ask(home(), false);
  }

 private:
  struct Source {
    RegistrySession session;
    bool by_tag = true;
    bool by_digest = true;
  };

  // The first from `index` on that is asked such a question; at last the registry itself.
  std::size_t next_of(std::size_t index, bool by_tag) const;
  std::size_t skip(std::size_t mirror, const std::string& reason, bool is_broken) const;

  std::vector<Source> sources_;
  mutable std::atomic<std::size_t> answered_{0};
};

}  // namespace tektii::registry
