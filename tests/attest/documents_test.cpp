#include <tektii/attest/provenance.hpp>
#include <tektii/attest/spdx.hpp>
#include <tektii/attest/statement.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tektii::attest {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Provenance some_provenance() {
  Provenance provenance;
  provenance.dockerfile_name = "Dockerfile";
  provenance.dockerfile_text = "FROM scratch\n";
  provenance.build_args = {{"TOKEN", "visible"}};
  provenance.labels = {{"l", "v"}};
  provenance.secrets = {"npmrc"};
  provenance.locals = {"context", "dockerfile"};
  provenance.materials = {commit_material("https://git.test/r.git#v1", std::string(40, 'a')),
                          file_material("https://a.test/f", oci::Digest::of_bytes("f")),
                          file_material("https://a.test/f", oci::Digest::of_bytes("f"))};
  return provenance;
}

TEST(ProvenanceDocument, InModeMaxTellsWhatWasAskedFor) {
  EXPECT_EQ(
      make_provenance(some_provenance()),
      R"({"buildDefinition":{"buildType":"https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",)"
      R"("externalParameters":{"configSource":{"path":"Dockerfile"},"request":{"frontend":"dockerfile.v0",)"
      R"("secrets":[{"id":"npmrc","optional":true}],"args":{"build-arg:TOKEN":"visible","label:l":"v"},)"
      R"("locals":[{"name":"context"},{"name":"dockerfile"}]}},)"
      R"("internalParameters":{"builderPlatform":"linux/amd64","targetPlatform":"linux/amd64"},)"
      R"("resolvedDependencies":[{"uri":"https://a.test/f","digest":)"
      R"({"sha256":"252f10c83610ebca1a059c0bae8255eba2f95be4d1d7bcfa89d7248a82d9f111"}},)"
      R"({"uri":"https://git.test/r.git#v1","digest":{"sha1":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}]},)"
      R"("runDetails":{"builder":{"id":""},"metadata":{"buildkit_metadata":{"source":{"infos":[)"
      R"({"filename":"Dockerfile","language":"Dockerfile","data":"RlJPTSBzY3JhdGNoCg=="}]}},)"
      R"("buildkit_completeness":{"request":true,"resolvedDependencies":false}}}})");
}

TEST(ProvenanceDocument, InModeMinTellsNothingOfTheOneWhoBuilds) {
  for (const auto version : {Provenance::Version::slsa_1, Provenance::Version::slsa_02}) {
    auto provenance = some_provenance();
    provenance.mode = Provenance::Mode::min;
    provenance.version = version;
    const auto text = make_provenance(provenance);
    for (const auto* hidden : {"visible", "TOKEN", "label:", "npmrc", "RlJPTSBz"})
      EXPECT_THAT(text, Not(HasSubstr(hidden)));
    EXPECT_THAT(text, HasSubstr("https://a.test/f"));
  }
}

TEST(ProvenanceDocument, HasTimesOnlyWhenTheyAreGiven) {
  auto provenance = some_provenance();
  EXPECT_THAT(make_provenance(provenance), Not(HasSubstr("startedOn")));
  provenance.times = Times{1700000000, 1700000060};
  EXPECT_THAT(make_provenance(provenance),
              HasSubstr(R"("startedOn":"2023-11-14T22:13:20Z","finishedOn":"2023-11-14T22:14:20Z")"));
  provenance.version = Provenance::Version::slsa_02;
  EXPECT_THAT(make_provenance(provenance), HasSubstr(R"("buildStartedOn":"2023-11-14T22:13:20Z")"));
}

TEST(ProvenanceDocument, IsHermeticWithoutNetworkAndLocalFiles) {
  auto provenance = some_provenance();
  provenance.locals.clear();
  EXPECT_THAT(make_provenance(provenance), HasSubstr(R"("buildkit_hermetic":true)"));
  provenance.used_network = true;
  EXPECT_THAT(make_provenance(provenance), Not(HasSubstr("hermetic")));
}

TEST(ProvenanceDocument, OfVersion02HasItsFields) {
  auto provenance = some_provenance();
  provenance.version = Provenance::Version::slsa_02;
  provenance.builder_id = "https://ci.test/1";
  provenance.reproducible = true;
  const auto text = make_provenance(provenance);
  EXPECT_THAT(text,
              HasSubstr(R"("builder":{"id":"https://ci.test/1"},"buildType":"https://mobyproject.org/buildkit@v1")"));
  EXPECT_THAT(text, HasSubstr(R"("configSource":{"entryPoint":"Dockerfile"})"));
  EXPECT_THAT(text, HasSubstr(R"("reproducible":true)"));
}

TEST(Materials, ImagesAreNamedByPackageUrl) {
  const auto digest = oci::Digest::of_bytes("image");
  const std::string platform = "platform=linux%2Famd64";
  const auto uri = [&](const char* name) { return image_material(name, {}, digest).uri; };
  EXPECT_EQ(uri("docker.io/library/python:3.12-slim"), "pkg:docker/python@3.12-slim?" + platform);
  EXPECT_EQ(uri("docker.io/grafana/k6:1"), "pkg:docker/grafana/k6@1?" + platform);
  EXPECT_EQ(uri("ghcr.io/a/b/c:1"), "pkg:docker/ghcr.io/a/b/c@1?" + platform);
  EXPECT_EQ(uri("127.0.0.1:5000/a:1"), "pkg:docker/127.0.0.1:5000/a@1?" + platform);
}

TEST(Statements, AreAboutTheManifestAlone) {
  const auto digest = oci::Digest::of_bytes("image");
  const auto statement = make_statement(k_predicate_spdx, R"({"b":1,"a":2})", digest);
  EXPECT_EQ(statement.bytes,
            R"({"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"_","digest":{"sha256":")" +
                std::string(digest.hex()) +
                R"("}}],"predicateType":"https://spdx.dev/Document","predicate":{"b":1,"a":2}})");
}

Package package_of(const std::string& name, const std::string& license) {
  Package package;
  package.ecosystem = Ecosystem::pypi;
  package.name = name;
  package.version = "1";
  package.license = license;
  package.location = "l";
  return package;
}

TEST(Spdx, IsTheSameForPackagesInAnyOrder) {
  const auto image = oci::Digest::of_bytes("image");
  const auto a = package_of("a", "MIT");
  const auto b = package_of("b", "");
  EXPECT_EQ(make_spdx({image, 0, {}, {a, b, a}}), make_spdx({image, 0, {}, {b, a}}));
}

TEST(Spdx, KeepsALicenceThatIsNoExpressionAsText) {
  const auto text =
      make_spdx({oci::Digest::of_bytes("image"), 0, {}, {package_of("a", "BSD, mostly"), package_of("b", "MIT")}});
  EXPECT_THAT(text, HasSubstr(R"("licenseDeclared":"MIT")"));
  EXPECT_THAT(text, HasSubstr(R"("licenseDeclared":"LicenseRef-)"));
  EXPECT_THAT(text, HasSubstr(R"("extractedText":"BSD, mostly")"));
  EXPECT_THAT(text, HasSubstr(R"("created":"1970-01-01T00:00:00Z")"));
}

TEST(Spdx, LicenceExpressionsAreRead) {
  for (const auto* text : {"MIT", "MIT AND ISC", "(MIT OR Apache-2.0) AND Zlib", "GPL-2.0+",
                           "GPL-3.0-or-later WITH GCC-exception-3.1", "((MIT))"}) {
    EXPECT_TRUE(is_license_expression(text)) << text;
  }
  for (const auto* text :
       {"", "BSD", "MIT License", "MIT AND", "AND MIT", "(MIT", "MIT)", "MIT WITH", "MIT/ISC", "MIT WITH MIT", "()"}) {
    EXPECT_FALSE(is_license_expression(text)) << text;
  }
  EXPECT_FALSE(is_license_expression(std::string(1000, '(')));
}

}  // namespace
}  // namespace tektii::attest
