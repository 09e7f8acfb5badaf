#include "registry/hosts/cert_dir.hpp"
#include "registry/hosts/hosts_toml.hpp"
#include "registry/hosts/registries_conf.hpp"
#include <tektii/registry/hosts.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>

namespace tektii::registry {

namespace {

namespace fs = std::filesystem;

std::optional<std::string> process_variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

bool is_hub(const std::string& registry) {
  return registry == "docker.io" || registry == "index.docker.io" || registry == "registry-1.docker.io";
}

// "host[:port]" of an option, in the form that Url::host_port() has.
std::string checked_host(const std::string& text) {
  try {
    const auto url = net::Url::parse("https://" + text);
    if (url.userinfo.empty() && url.path.empty() && url.query.empty() && url.fragment.empty()) return url.host_port();
  } catch (const Error&) {
    // Said below.
  }
  throw Error(ErrorKind::usage, fmt::format("--insecure-registry {}: this is no host", escape_control(text)))
      .add_hint("write HOST or HOST:PORT, such as registry.example.com or 10.0.0.5:5000");
}

std::vector<fs::path> conf_files_in(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(directory, failure)) {
    if (entry.path().extension() == ".conf") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

struct RegistryHosts::Impl {
  explicit Impl(HostOptions given) : options(std::move(given)) {
    if (!options.env) options.env = process_variable;
    for (auto& host : options.insecure) host = checked_host(host);
    if (const auto home = options.env("HOME")) user_dir = fs::path(*home) / ".config" / "containers";
    if (options.cert_dir) {
      auto settings = std::make_shared<net::TlsSettings>();
      read_cert_dir(*options.cert_dir, *settings);
      for_all = std::move(settings);
    }
    read_conf();
  }

  // $CONTAINERS_REGISTRIES_CONF alone when it is set. Else the user's file or the system's, and the *.conf files of
  // both directories; with a user's file the system's directory does not count.
  void read_conf() {
    if (const auto named = options.env("CONTAINERS_REGISTRIES_CONF")) return conf.read(*named);
    const auto system_dir = options.root / "etc" / "containers";
    std::error_code failure;
    const bool has_own = user_dir && fs::exists(*user_dir / "registries.conf", failure);
    const auto file = (has_own ? *user_dir : system_dir) / "registries.conf";
    if (fs::exists(file, failure)) conf.read(file);
    if (!has_own) {
      for (const auto& drop_in : conf_files_in(system_dir / "registries.conf.d")) conf.read(drop_in);
    }
    if (!user_dir) return;
    for (const auto& drop_in : conf_files_in(*user_dir / "registries.conf.d")) conf.read(drop_in);
  }

  const std::optional<HostsFile>& hosts_file(const std::string& registry) {
    const std::lock_guard lock(mutex);
    if (const auto known = hosts_files.find(registry); known != hosts_files.end()) return known->second;
    const auto path = find_hosts_toml(options.root / "etc" / "containerd" / "certs.d", registry);
    auto file = path ? std::optional(read_hosts_toml(*path)) : std::nullopt;
    return hosts_files.emplace(registry, std::move(file)).first->second;
  }

  bool is_insecure(const net::Url& url) const {
    const auto named = [&](const std::string& host) { return host == url.host || host == url.host_port(); };
    return std::any_of(options.insecure.begin(), options.insecure.end(), named) || conf.is_insecure(url.host_port());
  }

  // The first directory of the host that there is.
  std::optional<fs::path> cert_dir_of(const net::Url& url) const {
    std::vector<fs::path> roots;
    if (user_dir) roots.push_back(*user_dir / "certs.d");
    roots.push_back(options.root / "etc" / "containers" / "certs.d");
    roots.push_back(options.root / "etc" / "docker" / "certs.d");
    std::vector<std::string> names{url.host_port()};
    if (url.port && *url.port == 443) names.push_back(url.host);
    if (!url.port) names.push_back(url.host + ":443");
    if (is_hub(url.host)) names.insert(names.end(), {"docker.io", "index.docker.io"});
    std::error_code failure;
    for (const auto& root : roots) {
      for (const auto& name : names) {
        if (fs::is_directory(root / name, failure)) return root / name;
      }
    }
    return std::nullopt;
  }

  std::shared_ptr<const net::TlsSettings> make_tls(const net::Url& url) const {
    const bool insecure = is_insecure(url);
    const auto directory = cert_dir_of(url);
    if (!insecure && !directory) return for_all;
    auto settings = for_all ? std::make_shared<net::TlsSettings>(*for_all) : std::make_shared<net::TlsSettings>();
    if (directory && !for_all) read_cert_dir(*directory, *settings);
    settings->verify = !insecure;
    return settings;
  }

  std::shared_ptr<const net::TlsSettings> tls_for(const net::Url& url) {
    if (url.scheme != "https") return nullptr;
    const std::lock_guard lock(mutex);
    const auto key = url.host_port();
    if (const auto known = tls.find(key); known != tls.end()) return known->second;
    return tls[key] = make_tls(url);
  }

  // Of a server that is named by its host alone: https, and for this machine's own addresses http unless something is
  // known of its TLS.
  void set_base(RegistryPlace& place, const std::string& host) {
    place.base = net::Url::parse("https://" + host);
    place.base.path = "/v2";
    place.insecure = is_insecure(place.base);
    const bool is_local = net::is_loopback_host(place.base.host);
    place.http_allowed = is_local || place.insecure;
    if (is_local && !place.insecure && tls_for(place.base) == nullptr) place.base.scheme = "http";
  }

  RegistryPlace place_named(const std::string& name) {
    const auto slash = name.find('/');
    RegistryPlace place;
    place.registry = name.substr(0, slash);
    place.repository = slash == std::string::npos ? std::string() : name.substr(slash + 1);
    if (is_hub(place.registry)) place.registry = "docker.io";
    set_base(place, place.registry == "docker.io" ? "registry-1.docker.io" : place.registry);
    return place;
  }

  static void apply(const HostsServer& server, RegistryPlace& place) {
    place.headers = server.headers;
    if (server.tls) place.tls = std::make_shared<net::TlsSettings>(*server.tls);
    if (!server.base) return;
    // Another server gets what is configured for it, not what the registry would get.
    if (server.base->host_port() != place.base.host_port()) place.registry = server.base->host_port();
    place.base = *server.base;
    place.http_allowed = place.insecure = false;
  }

  RegistryPlace mirror_of(const HostsServer& server, const RegistryPlace& home) {
    RegistryPlace place = home;
    apply(server, place);
    if (place.registry != home.registry) place.name_space = home.registry;
    place.asked_by_tag = server.resolves;
    place.asked_by_digest = server.pulls;
    return place;
  }

  // The registry itself, as its own name and hosts.toml say.
  RegistryPlace home_of(const std::string& registry, const std::string& repository) {
    auto place = place_named(registry + "/" + repository);
    if (const auto& file = hosts_file(registry)) apply(file->server, place);
    return place;
  }

  RegistriesConf::Found find_allowed(const std::string& name) const {
    const auto found = conf.find(name);
    if (found.entry != nullptr && found.entry->blocked) {
      throw Error(ErrorKind::denied, fmt::format("{} is blocked by {}", name, found.entry->place));
    }
    return found;
  }

  HostOptions options;
  std::optional<fs::path> user_dir;
  std::shared_ptr<const net::TlsSettings> for_all;
  RegistriesConf conf;
  std::mutex mutex;
  std::map<std::string, std::optional<HostsFile>> hosts_files;
  std::map<std::string, std::shared_ptr<const net::TlsSettings>> tls;
};

RegistryHosts::RegistryHosts(HostOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
RegistryHosts::~RegistryHosts() = default;

std::vector<RegistryPlace> RegistryHosts::pull_places(const std::string& registry,
                                                      const std::string& repository) const {
  const auto name = registry + "/" + repository;
  const auto [entry, matched] = impl_->find_allowed(name);
  std::vector<RegistryPlace> places;
  const auto rewritten = [&, length = matched](const std::string& location) { return location + name.substr(length); };
  if (entry != nullptr) {
    for (const auto& mirror : entry->mirrors) {
      auto place = impl_->place_named(rewritten(mirror.location));
      place.asked_by_tag = mirror.by_tag;
      place.asked_by_digest = mirror.by_digest;
      places.push_back(std::move(place));
    }
  }
  const auto home = impl_->home_of(registry, repository);
  if (const auto& file = impl_->hosts_file(registry)) {
    for (const auto& mirror : file->mirrors) {
      if (!mirror.pulls && !mirror.resolves) continue;
      auto from = impl_->place_named(name);
      places.push_back(impl_->mirror_of(mirror, from));
    }
  }
  const bool moved = entry != nullptr && !entry->location.empty() && entry->location != entry->prefix;
  places.push_back(moved ? impl_->place_named(rewritten(entry->location)) : home);
  return places;
}

RegistryPlace RegistryHosts::push_place(const std::string& registry, const std::string& repository) const {
  impl_->find_allowed(registry + "/" + repository);
  return impl_->home_of(registry, repository);
}

std::shared_ptr<const net::TlsSettings> RegistryHosts::tls_for(const net::Url& url) const {
  return impl_->tls_for(url);
}

}  // namespace tektii::registry
