#include "cli/build/annotations.hpp"

#include <tektii/util/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(Annotations, GoToTheManifestUnlessALevelIsNamed) {
  const auto read = parse_annotations({"a=1", "manifest:b=2=3", "org.example.c=", "index:d=x:y"}, {});
  EXPECT_THAT(read.manifest, UnorderedElementsAre(Pair("a", "1"), Pair("b", "2=3"), Pair("org.example.c", "")));
  EXPECT_THAT(read.index, UnorderedElementsAre(Pair("d", "x:y")));
}

TEST(Annotations, MayGoToSeveralLevelsAndNameTheirPlatform) {
  const auto read = parse_annotations(
      {"manifest[linux/amd64],manifest-descriptor[linux/x86_64],index-descriptor:k=v", "a=1", "a=2"}, {});
  EXPECT_THAT(read.manifest, UnorderedElementsAre(Pair("k", "v"), Pair("a", "2")));
  EXPECT_THAT(read.manifest_descriptor, UnorderedElementsAre(Pair("k", "v")));
  EXPECT_THAT(read.index_descriptor, UnorderedElementsAre(Pair("k", "v")));
  EXPECT_THAT(read.index, IsEmpty());
}

TEST(Annotations, WhatIsMalformedIsRefused) {
  struct Case {
    const char* given;
    const char* message;
  };
  for (const auto& [given, message] : {
           Case{"a", "--annotation a: a value is missing"},
           Case{"=v", "the key is missing"},
           Case{"manifest:=v", "the key is missing"},
           Case{"manifets:a=v", "unknown level manifets"},
           Case{":a=v", "unknown level "},
           Case{"manifest[]:a=v", "manifest[] is no level with a platform"},
           Case{"manifest[linux/amd64:a=v", "is no level with a platform"},
           Case{"manifest[linux/arm64]:a=v", "nothing is built for linux/arm64"},
           Case{"index[linux/amd64]:a=v", "index takes no platform"},
           Case{"manifest[nonsense]:a=v", "nonsense"},
       }) {
    try {
      parse_annotations({given}, {});
      ADD_FAILURE() << given << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage) << given;
      EXPECT_THAT(error.message(), HasSubstr(message)) << given;
      EXPECT_FALSE(error.hints().empty()) << given;
    }
  }
}

std::string refusal(const std::vector<std::string>& given, const AnnotationPlaces& places) {
  try {
    require_places(parse_annotations(given, {}), places);
    return {};
  } catch (const Error& error) {
    return error.message();
  }
}

TEST(Annotations, ThatHaveNoPlaceAreRefused) {
  EXPECT_EQ(refusal({"a=1"}, {}), "");
  EXPECT_THAT(refusal({"index:a=1"}, {false, true}), HasSubstr("one manifest without an index"));
  EXPECT_EQ(refusal({"index:a=1"}, {true, false}), "");
  EXPECT_THAT(refusal({"index-descriptor:a=1"}, {false, true}), HasSubstr("without an index"));
  EXPECT_THAT(refusal({"index-descriptor:a=1"}, {true, false}), HasSubstr("a registry has no place for it"));
  EXPECT_EQ(refusal({"index-descriptor:a=1"}, {true, true}), "");
  EXPECT_THAT(refusal({"manifest-descriptor:a=1"}, {}), HasSubstr("nothing describes the manifest"));
  EXPECT_EQ(refusal({"manifest-descriptor:a=1"}, {true, false}), "");
  EXPECT_EQ(refusal({"manifest-descriptor:a=1"}, {false, true}), "");
}

}  // namespace
}  // namespace tektii::cli
