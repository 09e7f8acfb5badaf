#pragma once

#include <tektii/net/tls.hpp>

#include <filesystem>

namespace tektii::registry {

// A directory as containers-certs.d(5) has it: *.crt are authorities to trust, NAME.cert with NAME.key is our own
// certificate (of several the first by name). Adds to `settings`. Throws Error{failure} on a certificate without its
// key, a key without its certificate, and a directory that can't be read.
void read_cert_dir(const std::filesystem::path& directory, net::TlsSettings& settings);

}  // namespace tektii::registry
