#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace tektii::sandbox {

struct SandboxOptions {
  std::optional<std::filesystem::path> data = std::nullopt;  // kept there; else a temporary directory
  std::uint16_t port = 0;                                    // 0: any free port
  std::chrono::milliseconds pending_time{300};               // how long a scenario is PENDING, then RUNNING
  std::chrono::milliseconds running_time{700};
  std::chrono::seconds token_lifetime{900};  // of the access token for the registry
};

// The local platform: the API of the Tektii platform and a registry, on 127.0.0.1, in this process. Serves from its own
// threads from construction until destruction.
class Sandbox {
 public:
  explicit Sandbox(const SandboxOptions& options);
  ~Sandbox();

  std::string url() const;      // "http://127.0.0.1:34567": value for TEKTII_API_URL
  std::string api_key() const;  // 64 hex characters: value for TEKTII_API_KEY

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tektii::sandbox
