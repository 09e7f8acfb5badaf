#include "registry/hosts/hosts_toml.hpp"

#include "registry/hosts/toml_file.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tektii::registry {

namespace {

namespace fs = std::filesystem;

// Reads the settings of one server, which are the same for a mirror and at the top of the file.
class ServerReader {
 public:
  ServerReader(const TomlFile& file, const toml::table& table) : file_(file), table_(table) {}

  HostsServer read(const std::string& url, const toml::node& place) const {
    HostsServer server;
    if (!url.empty()) server.base = base_url(url, place);
    read_capabilities(server);
    read_headers(server);
    read_tls(server);
    return server;
  }

 private:
  net::Url base_url(const std::string& text, const toml::node& place) const {
    try {
      auto url = net::Url::parse(text.find("://") == std::string::npos ? "https://" + text : text);
      if (!url.userinfo.empty() || !url.query.empty() || !url.fragment.empty()) {
        throw Error(ErrorKind::failure, "it has more than a host and a path");
      }
      while (url.path.ends_with('/')) url.path.pop_back();
      if (!file_.flag(table_, "override_path") && !url.path.ends_with("/v2")) url.path += "/v2";
      return url;
    } catch (const Error& error) {
      if (error.message().starts_with(file_.path().string())) throw;
      file_.fail(place, fmt::format("\"{}\" is no server: {}", escape_control(net::redact_url(text)), error.message()));
    }
  }

  void read_capabilities(HostsServer& server) const {
    const auto* node = table_.get("capabilities");
    if (node == nullptr) return;
    server.pulls = server.resolves = false;
    for (const auto& name : file_.texts(*node, "capabilities")) {
      if (name == "pull") server.pulls = true;
      if (name == "resolve") server.resolves = true;
      if (name != "pull" && name != "resolve" && name != "push") {
        file_.fail(*node,
                   fmt::format("\"{}\" is no capability; there are pull, resolve and push", escape_control(name)));
      }
    }
  }

  void read_headers(HostsServer& server) const {
    const auto* node = table_.get("header");
    if (node == nullptr) return;
    const auto* headers = node->as_table();
    if (headers == nullptr) file_.fail(*node, "header must be a table of names and values");
    for (const auto& [name, values] : *headers) {
      for (const auto& value : file_.texts(values, name.str())) {
        if ((std::string(name.str()) + value).find_first_of("\r\n") != std::string::npos) {
          file_.fail(values, "a header is one line");
        }
        server.headers.push_back({std::string(name.str()), value});
      }
    }
  }

  void read_tls(HostsServer& server) const {
    net::TlsSettings tls;
    tls.verify = !file_.flag(table_, "skip_verify");
    if (const auto* node = table_.get("ca")) {
      for (const auto& name : file_.texts(*node, "ca")) tls.ca_files.push_back(path_of(name));
    }
    if (const auto* node = table_.get("client")) tls.client = client_of(*node);
    if (!tls.verify || !tls.ca_files.empty() || tls.client) server.tls = std::move(tls);
  }

  // A file with certificate and key, or [[certificate, key]]; of several the first.
  net::TlsSettings::ClientCertificate client_of(const toml::node& node) const {
    const toml::node* first = &node;
    if (const auto* array = node.as_array()) {
      if (array->empty()) file_.fail(node, "client is empty");
      first = array->get(0);
    }
    const auto files = file_.texts(*first, "client");
    if (files.empty() || files.size() > 2) file_.fail(node, "client is a file, or pairs of a certificate and its key");
    return {path_of(files.front()), path_of(files.back())};
  }

  fs::path path_of(const std::string& name) const {
    return fs::path(name).is_absolute() ? fs::path(name) : file_.path().parent_path() / name;
  }

  const TomlFile& file_;
  const toml::table& table_;
};

}  // namespace

HostsFile read_hosts_toml(const fs::path& path) {
  const TomlFile file(path);
  file.warn_of_unknown(file.root(), {"server", "capabilities", "ca", "client", "skip_verify", "header", "override_path",
                                     "dial_timeout", "host"});
  HostsFile hosts;
  const auto* server = file.root().get("server");
  hosts.server =
      ServerReader(file, file.root()).read(file.text(file.root(), "server"), server != nullptr ? *server : file.root());
  const auto* table = file.root().get("host");
  if (table == nullptr) return hosts;
  if (table->as_table() == nullptr) file.fail(*table, "host must be tables, as [host.\"https://mirror\"] makes them");
  // The library sorts by name; what counts is where they stand.
  std::vector<std::pair<std::string, const toml::node*>> entries;
  for (const auto& [url, node] : *table->as_table()) entries.emplace_back(std::string(url.str()), &node);
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return a.second->source().begin.line < b.second->source().begin.line;
  });
  for (const auto& [url, node] : entries) {
    const auto* entry = node->as_table();
    if (entry == nullptr) file.fail(*node, "a host must be a table");
    file.warn_of_unknown(*entry,
                         {"capabilities", "ca", "client", "skip_verify", "header", "override_path", "dial_timeout"});
    hosts.mirrors.push_back(ServerReader(file, *entry).read(url, *node));
  }
  return hosts;
}

std::optional<fs::path> find_hosts_toml(const fs::path& certs_dir, const std::string& registry) {
  std::vector<std::string> names{registry};
  const auto colon = registry.rfind(':');
  if (colon != std::string::npos && !registry.ends_with(']')) {
    names.insert(names.begin(), registry.substr(0, colon) + "_" + registry.substr(colon + 1) + "_");
  }
  names.emplace_back("_default");
  std::error_code failure;
  for (const auto& name : names) {
    if (!fs::is_directory(certs_dir / name, failure)) continue;
    // A directory without the file holds certificates alone.
    const auto file = certs_dir / name / "hosts.toml";
    return fs::exists(file, failure) ? std::optional(file) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace tektii::registry
