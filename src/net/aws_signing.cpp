#include "net/aws_signing.hpp"

#include <tektii/net/url.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/hash.hpp>

#include <fmt/format.h>

namespace tektii::net {

namespace {

constexpr std::size_t k_max_signed_body = 1 << 20;

void set_text(CURL* easy, CURLoption option, const std::string& value) {
  if (curl_easy_setopt(easy, option, value.c_str()) == CURLE_OK) return;
  throw Error(ErrorKind::failure, "this libcurl can't sign requests for Amazon Web Services");
}

}  // namespace

std::vector<Header> aws_headers(const HttpRequest& request) {
  if (!request.aws_signing) return {};
  std::string body;
  if (request.body) body = read_all(*request.body(), k_max_signed_body);
  std::vector<Header> headers = {{"X-Amz-Content-Sha256", Sha256::hex_of(body)}};
  const Secret& token = request.aws_signing->session_token;
  if (!token.empty()) headers.push_back({"X-Amz-Security-Token", token.reveal()});
  return headers;
}

void set_aws_signing(CURL* easy, const HttpRequest& request) {
  if (!request.aws_signing) return;
  const AwsSigning& signing = *request.aws_signing;
  if (!Url::parse(request.url).query.empty()) {
    throw Error(ErrorKind::failure, "a request with a query can't be signed");
  }
  set_text(easy, CURLOPT_AWS_SIGV4, fmt::format("aws:amz:{}:{}", signing.region, signing.service));
  set_text(easy, CURLOPT_USERNAME, signing.access_key_id);
  set_text(easy, CURLOPT_PASSWORD, signing.secret_access_key.reveal());
}

}  // namespace tektii::net
