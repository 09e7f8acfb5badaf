#include <tektii/oci/reference.hpp>
#include <tektii/util/error.hpp>

#include <gmock/gmock.h>

namespace tektii::oci {
namespace {

const std::string k_digest = "sha256:" + std::string(64, 'a');

struct Good {
  std::string text;
  std::string registry;
  std::string repository;
  std::string tag;
  std::string full;
};

class ReferenceParse : public testing::TestWithParam<Good> {};

TEST_P(ReferenceParse, GivesItsParts) {
  const auto& expected = GetParam();
  const auto reference = ImageReference::parse(expected.text);
  EXPECT_EQ(reference.registry, expected.registry);
  EXPECT_EQ(reference.repository, expected.repository);
  EXPECT_EQ(reference.tag, expected.tag);
  EXPECT_EQ(reference.str(), expected.full);
  EXPECT_EQ(ImageReference::parse(reference.str()), reference);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ReferenceParse,
    testing::Values(
        Good{"python", "docker.io", "library/python", "latest", "docker.io/library/python:latest"},
        Good{"python:3.12-slim", "docker.io", "library/python", "3.12-slim", "docker.io/library/python:3.12-slim"},
        Good{"user/app", "docker.io", "user/app", "latest", "docker.io/user/app:latest"},
        Good{"index.docker.io/app", "docker.io", "library/app", "latest", "docker.io/library/app:latest"},
        Good{"docker.io/library/app:1", "docker.io", "library/app", "1", "docker.io/library/app:1"},
        Good{"localhost/app", "localhost", "app", "latest", "localhost/app:latest"},
        Good{"localhost:5000/app:v1", "localhost:5000", "app", "v1", "localhost:5000/app:v1"},
        Good{"127.0.0.1:5000/a/b:1", "127.0.0.1:5000", "a/b", "1", "127.0.0.1:5000/a/b:1"},
        Good{"[::1]:5000/a:1", "[::1]:5000", "a", "1", "[::1]:5000/a:1"},
        Good{"[2001:db8::1]/a", "[2001:db8::1]", "a", "latest", "[2001:db8::1]/a:latest"},
        Good{"GHCR.io/a/b", "GHCR.io", "a/b", "latest", "GHCR.io/a/b:latest"},
        Good{"r.io/a__b/c.d/e---f:_x.Y-z", "r.io", "a__b/c.d/e---f", "_x.Y-z", "r.io/a__b/c.d/e---f:_x.Y-z"},
        Good{"localhost:5000", "docker.io", "library/localhost", "5000", "docker.io/library/localhost:5000"},
        Good{"app@" + k_digest, "docker.io", "library/app", "", "docker.io/library/app@" + k_digest},
        Good{"r.io/app:1@" + k_digest, "r.io", "app", "1", "r.io/app:1@" + k_digest}));

TEST(Reference, ManifestReferenceIsTheDigestWhenThereIsOne) {
  EXPECT_EQ(ImageReference::parse("app:1").manifest_reference(), "1");
  EXPECT_EQ(ImageReference::parse("app:1@" + k_digest).manifest_reference(), k_digest);
  EXPECT_EQ(ImageReference::parse("r.io:1/a/b").repository_str(), "r.io:1/a/b");
}

TEST(Reference, LengthLimits) {
  const std::string host = "r.io/";
  EXPECT_NO_THROW(ImageReference::parse(host + std::string(255 - host.size(), 'a')));
  EXPECT_THROW(ImageReference::parse(host + std::string(256 - host.size(), 'a')), Error);
  EXPECT_NO_THROW(ImageReference::parse("a:" + std::string(128, 't')));
  EXPECT_THROW(ImageReference::parse("a:" + std::string(129, 't')), Error);
}

struct Bad {
  std::string text;
  std::string message;
};

class ReferenceError : public testing::TestWithParam<Bad> {};

TEST_P(ReferenceError, SaysWhichPartIsWrong) {
  try {
    ImageReference::parse(GetParam().text);
    FAIL() << "accepted " << GetParam().text;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), testing::HasSubstr(GetParam().message));
    EXPECT_FALSE(error.hints().empty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, ReferenceError,
    testing::Values(Bad{"", "it is empty"}, Bad{"https://r.io/app", "has no scheme"},
                    Bad{"MyUser/App:1", "the repository name must be lower case"},
                    Bad{"r.io/Team/app", "the repository name must be lower case"},
                    Bad{"r.io/", "the repository name is missing"}, Bad{":1", "the repository name is missing"},
                    Bad{"a//b", "an empty component"}, Bad{"a/", "an empty component"}, Bad{"/a", "an empty component"},
                    Bad{"a/.b", "\".b\" can't be part"}, Bad{"a/b_", "\"b_\" can't be part"},
                    Bad{"a/b..c", "\"b..c\" can't be part"}, Bad{"a/b___c", "\"b___c\" can't be part"},
                    Bad{"a/../b", "\"..\" can't be part"}, Bad{"a b", "\"a b\" can't be part"},
                    Bad{"app:", "the tag after the ':' is missing"}, Bad{"app:-x", "\"-x\" is not a tag"},
                    Bad{"app:a/b", "\"a\" is not a port"}, Bad{"app:a b", "\"a b\" is not a tag"},
                    Bad{"app:a:b", "\"a:b\" is not a tag"}, Bad{"r.io:x/app", "\"x\" is not a port"},
                    Bad{"r.io:0/app", "\"0\" is not a port"}, Bad{"r.io:65536/app", "\"65536\" is not a port"},
                    Bad{"-r.io/app", "is not a host name"}, Bad{"r..io/app", "is not a host name"},
                    Bad{"[::1/app", "not an IPv6 address"}, Bad{"[r.io]/app", "not an IPv6 address"},
                    Bad{"[::1]x/app", "only a port can follow"}, Bad{"[::1]:x/app", "\"x\" is not a port"},
                    Bad{"app@sha256:abc", "the digest must be"},
                    Bad{"app@sha512:" + std::string(128, 'a'), "the digest"}, Bad{"app\x1b[31m", "\\x1b[31m"}));

}  // namespace
}  // namespace tektii::oci
