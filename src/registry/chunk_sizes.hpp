#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace tektii::registry {

// In what pieces blobs go to each registry: in one unless the user wants otherwise, or a registry (or what is in front
// of it) refused a request for its size. Thread-safe.
class ChunkSizes {
 public:
  // `wanted`: what the user asked for.
  explicit ChunkSizes(std::optional<std::uint64_t> wanted) : wanted_(wanted) {}

  // What to send a blob of that size in; nullopt: in one piece.
  std::optional<std::uint64_t> chunk_for(const std::string& registry, std::uint64_t blob_size) const;
  // A request of that size was refused. False when nothing smaller is worth a try.
  bool refused(const std::string& registry, std::uint64_t size);

 private:
  std::optional<std::uint64_t> wanted_;
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t> learned_;
};

}  // namespace tektii::registry
