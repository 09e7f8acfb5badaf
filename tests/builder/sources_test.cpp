#include "builder/build_fixture.hpp"
#include <tektii/builder/sources.hpp>

#include <gmock/gmock.h>

namespace tektii::builder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class SourcesTest : public BuildTest {
 protected:
  SourcesTest() {
    oci::ImageConfig config;
    config.config.env = {"MIRROR=https://mirror.test"};
    images_.add("base:1", config, store_);
    images_.add("other", {}, store_);
  }

  SourceList list(const std::string& dockerfile) {
    request_.dockerfile_text = dockerfile;
    return list_sources(request_, deps(), {});
  }

  static std::vector<std::string> keys_of(const SourceList& list) {
    std::vector<std::string> keys;
    for (const auto& image : list.images) keys.push_back(image.key);
    for (const auto& file : list.files) keys.push_back(file_key(file.url));
    for (const auto& repository : list.repositories) keys.push_back(repository_key(repository.reference));
    return keys;
  }
};

TEST_F(SourcesTest, EveryStageCountsUnlessATargetIsNamed) {
  const std::string dockerfile =
      "FROM other AS unreached\nFROM base:1 AS first\nADD http://a.test/x /\nFROM first\nCOPY --from=other /x /\n";
  EXPECT_THAT(keys_of(list(dockerfile)),
              ElementsAre("docker.io/library/base:1", "docker.io/library/other:latest", "http://a.test/x"));
  request_.target = "first";
  EXPECT_THAT(keys_of(list(dockerfile)), ElementsAre("docker.io/library/base:1", "http://a.test/x"));
}

TEST_F(SourcesTest, NamesAreExpandedWithTheEnvironmentOfTheBase) {
  request_.build_args = {{"VERSION", "2"}, {"REF", "main"}, {"UNRELATED", "1"}, {"IN", "17"}};
  const auto sources = list(
      "ARG BASE=base:1\nFROM $BASE AS a\nARG IN=1\nENV PATH_OF=v${IN}\nFROM a\nARG VERSION=1\nARG REF UNRELATED\n"
      "ADD ${MIRROR}/${PATH_OF}/f-${VERSION}.tgz?x=1#frag /\n"
      "ADD https://user:secret@git.test/r.git#$REF:docs /docs\nADD https://git.test/r.git#main /all\n"
      "ADD --checksum=sha256:b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c http://c.test/f /\n"
      "RUN true\n");
  EXPECT_THAT(keys_of(sources), ElementsAre("docker.io/library/base:1", "https://mirror.test/v17/f-2.tgz?x=1",
                                            "http://c.test/f", "https://git.test/r.git#main"));
  EXPECT_FALSE(sources.files[0].checksum.has_value());
  EXPECT_TRUE(sources.files[1].checksum.has_value());
  EXPECT_THAT(sources.build_args, UnorderedElementsAre(Pair("VERSION", "2"), Pair("REF", "main"), Pair("IN", "17")));
  EXPECT_EQ(sources.files[0].span.first_line, 8);
}

TEST_F(SourcesTest, AnImageGoesByTheNameInTheDockerfile) {
  request_.named_contexts["base:1"] = {NamedContext::Kind::image, {}, "other"};
  EXPECT_THAT(keys_of(list("FROM base:1\n")), ElementsAre("docker.io/library/base:1"));
  EXPECT_THAT(list("FROM scratch\nADD local /\n").files, IsEmpty());
}

TEST_F(SourcesTest, AMalformedReferencePointsAtItsLine) {
  try {
    list("FROM scratch\nARG HOST\nADD http://${HOST}/x /\n");
    ADD_FAILURE() << "it was listed";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("it has no host"));
    ASSERT_TRUE(error.span().has_value());
    EXPECT_EQ(error.span()->first_line, 3);
  }
}

}  // namespace
}  // namespace tektii::builder
