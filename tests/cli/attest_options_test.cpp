#include "cli/build/attest_options.hpp"

#include <tektii/util/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::cli {
namespace {

using attest::Provenance;
using ::testing::HasSubstr;

TEST(AttestOptions, NothingIsAttestedUnlessItIsAskedFor) {
  EXPECT_FALSE(parse_attestations({}).any());
  EXPECT_FALSE(parse_attestations({{}, "false", "0"}).any());
  EXPECT_FALSE(parse_attestations({{"type=sbom,disabled=true", "type=provenance,disabled=1"}, "", ""}).any());
}

TEST(AttestOptions, ProvenanceHasBuildKitsDefaults) {
  for (const auto& options : {AttestOptions{{"type=provenance"}, "", ""}, AttestOptions{{}, "true", ""}}) {
    const auto request = parse_attestations(options);
    ASSERT_TRUE(request.provenance.has_value());
    EXPECT_EQ(request.provenance->mode, Provenance::Mode::max);
    EXPECT_EQ(request.provenance->version, Provenance::Version::slsa_1);
    EXPECT_TRUE(request.as_artifact);
    EXPECT_FALSE(request.sbom);
  }
}

TEST(AttestOptions, KeysAreRead) {
  const auto request = parse_attestations(
      {{"type=provenance,mode=min,version=v0.2,builder-id=https://b/1,reproducible=true,inline-only=true",
        "type=sbom,oci-artifact=false"},
       "",
       ""});
  EXPECT_EQ(request.provenance->mode, Provenance::Mode::min);
  EXPECT_EQ(request.provenance->version, Provenance::Version::slsa_02);
  EXPECT_EQ(request.provenance->builder_id, "https://b/1");
  EXPECT_TRUE(request.provenance->reproducible);
  EXPECT_TRUE(request.sbom);
  EXPECT_FALSE(request.as_artifact);
  EXPECT_EQ(parse_attestations({{}, "mode=min", ""}).provenance->mode, Provenance::Mode::min);
  EXPECT_FALSE(parse_attestations({{"type=provenance"}, "false", ""}).any());
}

TEST(AttestOptions, WhatIsNotKnownIsRefused) {
  struct Case {
    AttestOptions options;
    const char* message;
  };
  for (const auto& [options, message] : {
           Case{{{"mode=max"}, "", ""}, "--attest mode=max: the type is missing"},
           Case{{{"type=slsa"}, "", ""}, "unknown type slsa"},
           Case{{{"type=provenance,mode"}, "", ""}, "mode is no key=value"},
           Case{{{"type=provenance,mode=mid"}, "", ""}, "unknown mode mid"},
           Case{{{"type=provenance,version=v2"}, "", ""}, "unknown version v2"},
           Case{{{"type=provenance,filename=x"}, "", ""}, "unknown key filename"},
           Case{{{"type=provenance,reproducible=maybe"}, "", ""}, "reproducible must be true or false"},
           Case{{{"type=sbom,generator=img"}, "", ""}, "no generator is run"},
           Case{{{}, "max", ""}, "--provenance=max: max is no key=value"},
           Case{{{}, "", "generator=img"}, "--sbom=generator=img: no generator is run"},
       }) {
    try {
      parse_attestations(options);
      ADD_FAILURE() << message;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_THAT(error.message(), HasSubstr(message));
    }
  }
}

}  // namespace
}  // namespace tektii::cli
