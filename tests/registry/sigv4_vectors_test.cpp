#include "support/sigv4.hpp"

#include <gtest/gtest.h>

namespace tektii::testing {
namespace {

// The vectors of Amazon's "Signature Version 4 test suite": keys, date, region and service are the same in all of them.
constexpr const char* k_secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SigV4Scope k_scope{"20150830T123600Z", "us-east-1", "service"};

struct Vector {
  const char* name;
  ServerRequest request;
  std::vector<std::string> signed_headers;
  const char* signature;
};

ServerRequest request(const std::string& method, const std::string& target,
                      std::vector<std::pair<std::string, std::string>> headers = {}, const std::string& body = "") {
  headers.emplace_back("Host", "example.amazonaws.com");
  headers.emplace_back("X-Amz-Date", "20150830T123600Z");
  return {method, target, std::move(headers), body, 1};
}

class SigV4Vector : public ::testing::TestWithParam<Vector> {};

TEST_P(SigV4Vector, HasThePublishedSignature) {
  const Vector& vector = GetParam();
  const SigV4Steps steps = sign_v4(vector.request, vector.signed_headers, k_scope, k_secret);
  EXPECT_EQ(steps.signature, vector.signature) << steps.canonical_request << "\n\n" << steps.string_to_sign;
}

const std::vector<std::string> k_plain = {"host", "x-amz-date"};

INSTANTIATE_TEST_SUITE_P(
    Published, SigV4Vector,
    ::testing::Values(
        Vector{"get_vanilla", request("GET", "/"), k_plain,
               "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        Vector{"get_vanilla_empty_query_key", request("GET", "/?Param1=value1"), k_plain,
               "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
        Vector{"get_vanilla_query_order_key_case", request("GET", "/?Param2=value2&Param1=value1"), k_plain,
               "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
        Vector{"get_utf8", request("GET", "/\xe1\x88\xb4"), k_plain,
               "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
        Vector{"get_header_value_trim",
               request("GET", "/", {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}}),
               {"host", "my-header1", "my-header2", "x-amz-date"},
               "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
        Vector{"post_vanilla", request("POST", "/"), k_plain,
               "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
        Vector{"post_header_key_sort",
               request("POST", "/", {{"My-Header1", "value1"}}),
               {"host", "my-header1", "x-amz-date"},
               "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
        Vector{"post_x_www_form_urlencoded",
               request("POST", "/", {{"Content-Type", "application/x-www-form-urlencoded"}}, "Param1=value1"),
               {"content-type", "host", "x-amz-date"},
               "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
        Vector{
            "post_sts_header_before",
            request("POST", "/",
                    {{"X-Amz-Security-Token",
                      "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfI"
                      "eoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0"
                      "wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypN"
                      "C9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="}}),
            {"host", "x-amz-date", "x-amz-security-token"},
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(SigV4Verifier, TellsWhatIsWrong) {
  const SigV4Keys keys{"AKIDEXAMPLE", k_secret, ""};
  ServerRequest good = request("POST", "/");
  good.headers.emplace_back("Authorization",
                            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                            "SignedHeaders=host;x-amz-date, "
                            "Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
  EXPECT_EQ(verify_v4(good, keys, "us-east-1", "service"), "");
  EXPECT_NE(verify_v4(good, keys, "us-east-2", "service"), "");
  EXPECT_NE(verify_v4(good, {"AKIDEXAMPLE", "other", ""}, "us-east-1", "service"), "");
  EXPECT_NE(verify_v4(good, {"AKIDEXAMPLE", k_secret, "token"}, "us-east-1", "service"), "");
  ServerRequest other_body = good;
  other_body.body = "x";
  EXPECT_NE(verify_v4(other_body, keys, "us-east-1", "service"), "");
  ServerRequest more = good;
  more.headers.emplace_back("X-Amz-Target", "x");
  EXPECT_EQ(verify_v4(more, keys, "us-east-1", "service"), "x-amz-target is not signed");
}

}  // namespace
}  // namespace tektii::testing
