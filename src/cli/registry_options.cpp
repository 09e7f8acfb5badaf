#include "cli/registry_options.hpp"

#include "cli/version.hpp"
#include <tektii/registry/cloud.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <utility>

namespace tektii::cli {

namespace {

std::unique_ptr<registry::RegistryHosts> make_hosts(const RegistryFlags& flags) {
  registry::HostOptions options;
  options.insecure = flags.insecure_registries;
  if (!flags.cert_dir.empty()) options.cert_dir = flags.cert_dir;
  return std::make_unique<registry::RegistryHosts>(std::move(options));
}

registry::ConfigOptions config_options(const RegistryFlags& flags) {
  registry::ConfigOptions options;
  if (!flags.auth_file.empty()) options.auth_file = flags.auth_file;
  return options;
}

}  // namespace

void add_registry_options(CLI::App& command, RegistryFlags& flags) {
  command.add_option("--authfile", flags.auth_file,
                     "File with logins for registries [default: where docker and podman keep them]");
  command
      .add_option("--insecure-registry", flags.insecure_registries,
                  "Registry (HOST or HOST:PORT) that may be spoken to in plain http, and whose certificate is not "
                  "verified, repeatable")
      ->allow_extra_args(false);
  command.add_option("--cert-dir", flags.cert_dir,
                     "Directory with certificates for registries: *.crt of authorities, *.cert and *.key of our own "
                     "[default: certs.d of docker and podman]");
}

RegistryAccess::RegistryAccess(const RegistryFlags& flags)
    : hosts_(make_hosts(flags)),
      transport_(net::make_curl_transport("tektii/" + std::string(product_version()),
                                          [hosts = hosts_.get()](const net::Url& url) { return hosts->tls_for(url); })),
      credentials_(registry::make_default_credentials(config_options(flags), {*transport_, clock_})) {}

registry::RegistryDeps RegistryAccess::deps_with(registry::CredentialSource& credentials) {
  registry::RegistryDeps deps{*transport_, credentials};
  deps.hosts = hosts_.get();
  return deps;
}

}  // namespace tektii::cli
