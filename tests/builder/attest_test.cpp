#include "builder/build_fixture.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace tektii::builder {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;
using Json = nlohmann::json;

class AttestTest : public BuildTest {
 protected:
  AttestTest() {
    images_.add(
        "base:1", {}, store_,
        {{"etc/os-release", "ID=debian\nVERSION_ID=12\n"},
         {"var/lib/dpkg/status", "Package: bash\nStatus: install ok installed\nVersion: 5\nArchitecture: amd64\n"},
         {"usr/lib/python3/dist-packages/old-1.0.dist-info/METADATA", "Name: old\nVersion: 1.0\n"},
         {"app/package.json", R"({"name":"app","version":"1"})"},
         {"app/node_modules/left/package.json", R"({"name":"left","version":"2","license":"MIT"})"},
         {"app/node_modules/left/test/package.json", R"({"name":"no","version":"2"})"},
         {"app/node_modules/@s/right/package.json", R"({"name":"@s/right","version":"3"})"}});
    write("new.dist-info/METADATA", "Name: New\nVersion: 2.0\n");
  }

  // The predicates by type.
  static std::map<std::string, Json> predicates_of(const BuildResult& result) {
    std::map<std::string, Json> predicates;
    for (std::size_t i = 1; i < result.attested->blobs.size(); ++i) {
      const auto statement = Json::parse(result.attested->blobs[i].bytes);
      EXPECT_EQ(statement["subject"][0]["digest"]["sha256"], result.image.manifest.digest.hex());
      predicates.emplace(statement["predicateType"].get<std::string>(), statement["predicate"]);
    }
    return predicates;
  }
};

TEST_F(AttestTest, WithoutARequestThereIsTheManifestAlone) {
  const auto result = build("FROM base:1\n");
  EXPECT_FALSE(result.attested.has_value());
  EXPECT_EQ(result.root().digest, result.image.manifest.digest);
}

TEST_F(AttestTest, PackagesAreThoseOfTheFinishedFileSystem) {
  request_.attestations.sbom = true;
  const auto result = build("FROM base:1\nCOPY new.dist-info /opt/new.dist-info\n");
  const auto spdx = predicates_of(result).at("https://spdx.dev/Document");
  std::vector<std::string> urls;
  for (const auto& package : spdx["packages"]) {
    if (package.contains("externalRefs")) urls.push_back(package["externalRefs"][0]["referenceLocator"]);
  }
  EXPECT_THAT(urls, UnorderedElementsAre("pkg:deb/debian/bash@5?arch=amd64&distro=debian-12", "pkg:pypi/old@1.0",
                                         "pkg:pypi/new@2.0", "pkg:npm/left@2", "pkg:npm/%40s/right@3"));
  EXPECT_EQ(spdx["creationInfo"]["created"], "2023-11-14T22:13:20Z");
  EXPECT_EQ(result.root().digest, build(request_.dockerfile_text).root().digest);
}

TEST_F(AttestTest, ProvenanceNamesTheBasesAndTheDockerfile) {
  request_.attestations.provenance.emplace();
  request_.build_args = {{"V", "1"}};
  images_.add("tools", {}, store_, {{"tool", "x"}});
  const std::string dockerfile = "ARG V\nFROM base:1\nCOPY --from=tools /tool /tool\n";
  const auto result = build(dockerfile);
  const auto predicate = predicates_of(result).at("https://slsa.dev/provenance/v1");
  const auto& definition = predicate["buildDefinition"];
  std::vector<std::string> uris;
  for (const auto& material : definition["resolvedDependencies"]) uris.push_back(material["uri"]);
  EXPECT_THAT(
      uris, ElementsAre("pkg:docker/base@1?platform=linux%2Famd64", "pkg:docker/tools@latest?platform=linux%2Famd64"));
  EXPECT_EQ(definition["externalParameters"]["request"]["args"]["build-arg:V"], "1");
  EXPECT_EQ(predicate["runDetails"]["metadata"].count("startedOn"), 0U);
  EXPECT_EQ(result.root().digest, build(dockerfile).root().digest);
}

TEST_F(AttestTest, BothComeInOneManifestAndTheImageIsTheSame) {
  const auto plain = build("FROM base:1\n").image.manifest.digest;
  request_.attestations.provenance.emplace();
  request_.attestations.sbom = true;
  const auto result = build("FROM base:1\n");
  EXPECT_EQ(predicates_of(result).size(), 2U);
  EXPECT_EQ(result.image.manifest.digest, plain);
  EXPECT_NE(result.root().digest, plain);
}

}  // namespace
}  // namespace tektii::builder
