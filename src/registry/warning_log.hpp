#pragma once

#include <tektii/net/http.hpp>

#include <cstddef>
#include <functional>
#include <mutex>
#include <set>
#include <string>

namespace tektii::registry {

// Passes on what registries say in Warning headers (distribution-spec "Warnings"), each text once and at most 4096
// bytes in all; nothing else is done about them. Thread-safe.
class WarningLog {
 public:
  using Show = std::function<void(const std::string& registry, const std::string& text)>;
  explicit WarningLog(Show show) : show_(std::move(show)) {}

  void take(const std::string& registry, const net::HttpResponse& response);

 private:
  Show show_;
  std::mutex mutex_;
  std::set<std::string> seen_;
  std::size_t bytes_ = 0;
};

}  // namespace tektii::registry
