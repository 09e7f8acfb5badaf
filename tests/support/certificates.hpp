#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace tektii::testing {

// A key and a certificate made for a test, written as PEM.
struct MadeCertificate {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

struct CertificateWish {
  std::string common_name = "test";
  std::vector<std::string> names = {"IP:127.0.0.1", "DNS:localhost"};  // as subjectAltName has them
  std::chrono::seconds valid_from = std::chrono::hours(-1);            // from now
  std::chrono::seconds valid_until = std::chrono::hours(1);
  bool is_authority = false;
};

// Writes NAME.crt and NAME.key into a directory; signed by `issuer`, or by itself without one.
MadeCertificate make_certificate(const std::filesystem::path& directory, const std::string& name,
                                 const CertificateWish& wish, const MadeCertificate* issuer = nullptr);

}  // namespace tektii::testing
