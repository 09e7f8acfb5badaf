#pragma once

#include <tektii/net/http.hpp>
#include <tektii/registry/client.hpp>
#include <tektii/registry/credentials.hpp>
#include <tektii/registry/hosts.hpp>
#include <tektii/util/clock.hpp>

#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace tektii::cli {

// The options of every command that speaks to registries, as they were given.
struct RegistryFlags {
  std::string auth_file;
  std::vector<std::string> insecure_registries;
  std::string cert_dir;
};

void add_registry_options(CLI::App& command, RegistryFlags& flags);

// What a command needs to speak to registries, made out of its options and the configuration of the machine. Making
// the transport starts no thread.
class RegistryAccess {
 public:
  // Throws Error{usage} on options that make no sense, and what a damaged configuration throws.
  explicit RegistryAccess(const RegistryFlags& flags);
  RegistryAccess(const RegistryAccess&) = delete;
  RegistryAccess& operator=(const RegistryAccess&) = delete;

  net::HttpTransport& transport() { return *transport_; }
  registry::CredentialSource& credentials() { return *credentials_; }
  const registry::RegistryHosts& hosts() const { return *hosts_; }
  // For a client that must not outlive this; the caller adds what it wants to hear of and to keep.
  registry::RegistryDeps deps() { return deps_with(*credentials_); }
  registry::RegistryDeps deps_with(registry::CredentialSource& credentials);

 private:
  SystemClock clock_;
  std::unique_ptr<registry::RegistryHosts> hosts_;
  std::unique_ptr<net::HttpTransport> transport_;
  std::unique_ptr<registry::CredentialSource> credentials_;
};

}  // namespace tektii::cli
