#include "support/certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <random>
#include <stdexcept>

namespace tektii::testing {

namespace {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using File = std::unique_ptr<std::FILE, Deleter<std::fclose>>;

File open(const std::filesystem::path& path, const char* mode) {
  File file(std::fopen(path.c_str(), mode));
  if (!file) throw std::runtime_error("cannot open " + path.string());
  return file;
}

void check(bool ok) {
  if (!ok) throw std::runtime_error("OpenSSL can't make the certificate");
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  check(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

void fill(X509* certificate, const CertificateWish& wish, EVP_PKEY* key) {
  std::random_device random;
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), static_cast<long>(random() >> 2U));
  X509_gmtime_adj(X509_getm_notBefore(certificate), static_cast<long>(wish.valid_from.count()));
  X509_gmtime_adj(X509_getm_notAfter(certificate), static_cast<long>(wish.valid_until.count()));
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(wish.common_name.c_str()), -1, -1, 0);
}

}  // namespace

MadeCertificate make_certificate(const std::filesystem::path& directory, const std::string& name,
                                 const CertificateWish& wish, const MadeCertificate* issuer) {
  const MadeCertificate made{directory / (name + ".crt"), directory / (name + ".key")};
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate(X509_new());
  check(key != nullptr && certificate != nullptr);
  fill(certificate.get(), wish, key.get());
  Certificate issuer_certificate;
  Key issuer_key;
  if (issuer != nullptr) {
    issuer_certificate.reset(PEM_read_X509(open(issuer->certificate, "r").get(), nullptr, nullptr, nullptr));
    issuer_key.reset(PEM_read_PrivateKey(open(issuer->key, "r").get(), nullptr, nullptr, nullptr));
    check(issuer_certificate != nullptr && issuer_key != nullptr);
  }
  X509* signer = issuer != nullptr ? issuer_certificate.get() : certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer));
  add_extension(certificate.get(), signer, NID_basic_constraints, wish.is_authority ? "critical,CA:TRUE" : "CA:FALSE");
  if (!wish.is_authority && !wish.names.empty()) {
    std::string names;
    for (const auto& entry : wish.names) names += (names.empty() ? "" : ",") + entry;
    add_extension(certificate.get(), signer, NID_subject_alt_name, names);
  }
  check(X509_sign(certificate.get(), issuer != nullptr ? issuer_key.get() : key.get(), EVP_sha256()) > 0);
  check(PEM_write_X509(open(made.certificate, "w").get(), certificate.get()) == 1);
  check(PEM_write_PrivateKey(open(made.key, "w").get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return made;
}

}  // namespace tektii::testing
