#include "net/aws_signing.hpp"
#include "net/curl_transfer.hpp"
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// What a request asks of libcurl, before it is sent.
namespace tektii::net {

namespace {

template <typename Value>
void set_option(CURL* easy, CURLoption option, Value value) {
  if (const CURLcode code = curl_easy_setopt(easy, option, value); code != CURLE_OK) {
    throw Error(ErrorKind::failure,
                fmt::format("libcurl refuses option {}: {}", static_cast<int>(option), curl_easy_strerror(code)));
  }
}

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

// The certificates of the system and of the files, as one file. Throws Error with the name of a file that can't be read
// or has no certificate in it.
std::string ca_bundle(const std::vector<std::filesystem::path>& files, const std::optional<std::string>& system_file) {
  constexpr std::size_t k_max_bundle = 16 << 20;
  std::string bundle;
  for (const auto& file : files) {
    const auto text = read_file(file, k_max_bundle);
    if (text.find("-----BEGIN") == std::string::npos) {
      throw Error(ErrorKind::failure, fmt::format("{} has no certificate in it (PEM is wanted)", file.string()));
    }
    bundle += text + "\n";
  }
  const char* built_in = curl_version_info(CURLVERSION_NOW)->cainfo;
  const std::filesystem::path system = system_file ? *system_file : (built_in != nullptr ? built_in : "");
  std::error_code failure;
  if (system_file || std::filesystem::exists(system, failure)) bundle += read_file(system, k_max_bundle);
  return bundle;
}

}  // namespace

void CurlTransfer::set_connection_options(const std::string& user_agent) {
  CURL* easy = session_.easy();
  set_option(easy, CURLOPT_URL, url_.str().c_str());
  set_option(easy, CURLOPT_PATH_AS_IS, 1L);
  set_option(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set_option(easy, CURLOPT_FOLLOWLOCATION, 0L);
  // Also the only version that TLS offers (ALPN): HTTP/2 is where other clients stall and break.
  set_option(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set_option(easy, CURLOPT_NOSIGNAL, 1L);
  set_option(easy, CURLOPT_USERAGENT, user_agent.c_str());
  set_option(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set_option(easy, CURLOPT_ERRORBUFFER, error_text_.data());
  set_option(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request_.connect_timeout.count()));
  if (request_.total_timeout) {
    set_option(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request_.total_timeout->count()));
  }
}

// libcurl's own reading of the environment is replaced: it does not know HTTP_PROXY in upper case, nor networks and
// ports in NO_PROXY.
void CurlTransfer::set_proxy() {
  CURL* easy = session_.easy();
  if (!request_.direct) proxy_ = proxy_for(url_, environment);
  set_option(easy, CURLOPT_PROXY, proxy_ ? proxy_->url.c_str() : "");
  set_option(easy, CURLOPT_NOPROXY, "");
  set_option(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

void CurlTransfer::set_tls(const TlsSettings* settings) {
  CURL* easy = session_.easy();
  // The names that OpenSSL's own tools read; libcurl as a library does not.
  const auto system_file = environment("SSL_CERT_FILE");
  if (system_file) set_option(easy, CURLOPT_CAINFO, system_file->c_str());
  if (const auto directory = environment("SSL_CERT_DIR")) set_option(easy, CURLOPT_CAPATH, directory->c_str());
  if (settings == nullptr) return;
  if (!settings->verify) {
    set_option(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    set_option(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  } else if (!settings->ca_files.empty()) {
    ca_bundle_ = ca_bundle(settings->ca_files, system_file);
    curl_blob blob{ca_bundle_.data(), ca_bundle_.size(), CURL_BLOB_NOCOPY};
    set_option(easy, CURLOPT_CAINFO_BLOB, &blob);
  }
  if (settings->client) {
    set_option(easy, CURLOPT_SSLCERT, settings->client->certificate.c_str());
    set_option(easy, CURLOPT_SSLKEY, settings->client->key.c_str());
  }
}

void CurlTransfer::set_method_and_body() {
  CURL* easy = session_.easy();
  const std::string& method = request_.method;
  if (method == "HEAD") {
    set_option(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  const bool sends = request_.body || method == "POST" || method == "PUT" || method == "PATCH";
  if (!sends) {
    set_option(easy, CURLOPT_HTTPGET, 1L);
  } else {
    // A body of size 0 is sent as "Content-Length: 0", which registries want on POST.
    const auto known_size = request_.body ? request_.body_size : std::optional<std::uint64_t>(0);
    const auto size = known_size ? static_cast<curl_off_t>(*known_size) : curl_off_t{-1};  // -1 is chunked
    set_option(easy, CURLOPT_UPLOAD, 1L);
    set_option(easy, CURLOPT_UPLOAD_BUFFERSIZE, k_upload_buffer);
    set_option(easy, CURLOPT_INFILESIZE_LARGE, size);
  }
  set_option(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
}

void CurlTransfer::add_header_line(const std::string& name, const std::string& value) {
  if ((name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
    throw Error(ErrorKind::failure, fmt::format("header {} contains a line break", escape_control(name)));
  }
  // "Name;" is how libcurl is told to send a header without a value; "Name:" would remove it.
  const std::string line = value.empty() ? name + ";" : name + ": " + value;
  curl_slist* longer = curl_slist_append(header_list_, line.c_str());
  if (longer == nullptr) throw Error(ErrorKind::failure, "libcurl is out of memory");
  header_list_ = longer;
}

void CurlTransfer::set_headers() {
  // Some servers and proxies never answer "Expect: 100-continue"; waiting for them costs a second per upload.
  header_list_ = curl_slist_append(header_list_, "Expect:");
  for (const Header& header : request_.headers) add_header_line(header.name, header.value);
  for (const Header& header : request_.origin_headers) add_header_line(header.name, header.value);
  if (request_.authorization) add_header_line("Authorization", request_.authorization->reveal());
  for (const Header& header : aws_headers(request_)) add_header_line(header.name, header.value);
  set_aws_signing(session_.easy(), request_);
  set_option(session_.easy(), CURLOPT_HTTPHEADER, header_list_);
}

void CurlTransfer::set_callbacks() {
  CURL* easy = session_.easy();
  set_option(easy, CURLOPT_HEADERFUNCTION, &CurlTransfer::header_callback);
  set_option(easy, CURLOPT_HEADERDATA, static_cast<void*>(this));
  set_option(easy, CURLOPT_WRITEFUNCTION, &CurlTransfer::write_callback);
  set_option(easy, CURLOPT_WRITEDATA, static_cast<void*>(this));
  set_option(easy, CURLOPT_READFUNCTION, &CurlTransfer::read_callback);
  set_option(easy, CURLOPT_READDATA, static_cast<void*>(this));
  set_option(easy, CURLOPT_SEEKFUNCTION, &CurlTransfer::seek_callback);
  set_option(easy, CURLOPT_SEEKDATA, static_cast<void*>(this));
  set_option(easy, CURLOPT_PREREQFUNCTION, &CurlTransfer::connected_callback);
  set_option(easy, CURLOPT_PREREQDATA, static_cast<void*>(this));
}

}  // namespace tektii::net
