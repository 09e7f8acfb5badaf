#pragma once

#include <tektii/net/url.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace tektii::net {

// What a TLS connection to one host is made with. Files are PEM.
struct TlsSettings {
  struct ClientCertificate {
    std::filesystem::path certificate;  // with its chain
    std::filesystem::path key;          // may be the same file
  };

  bool verify = true;                           // the server's certificate and its name
  std::vector<std::filesystem::path> ca_files;  // trusted besides the system's ($SSL_CERT_FILE, $SSL_CERT_DIR)
  std::optional<ClientCertificate> client;      // shown to a server that asks for one
};

// What holds for a URL's host and port; null is what holds for every host. Called from any thread.
using TlsLookup = std::function<std::shared_ptr<const TlsSettings>(const Url& url)>;

}  // namespace tektii::net
