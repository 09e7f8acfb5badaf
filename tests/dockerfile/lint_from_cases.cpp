// Rules about FROM and the ARGs before it.
#include "lint_cases.hpp"

namespace {

std::vector<LintCase> undeclared_cases() {
  return {
      {"FromArgDeclared", "ARG TAG=1\nFROM alpine:$TAG\n", {}},
      {"FromArgOfPlatform", "FROM alpine:${TARGETARCH}\n", {}},
      {"FromArgUndeclared",
       "FROM alpine:$TAG\n",
       {"1 UndefinedArgInFrom: FROM argument 'TAG' is not declared",
        "1 InvalidDefaultArgInFrom: Default value for ARG alpine:$TAG results in empty or invalid base image name"},
       {},
       "",
       {},
       "failed to parse image name \"alpine:\""},
      {"FromArgWithDefault", "FROM alpine:${TAG:-1}\n", {"1 UndefinedArgInFrom: FROM argument 'TAG' is not declared"}},
      {"FromArgMisspelt",
       "ARG VERSION=1\nFROM alpine:${VERSOIN:-2}\n",
       {"2 UndefinedArgInFrom: FROM argument 'VERSOIN' is not declared (did you mean VERSION?)"}},
      {"FromArgDeclaredInStage",
       "FROM alpine AS a\nARG TAG=1\nFROM alpine:${TAG:-1}\n",
       {"3 UndefinedArgInFrom: FROM argument 'TAG' is not declared"}},
      {"FromArgWithoutValueIsDeclared", "ARG TAG\nFROM alpine:${TAG:-1}\n", {}},
      {"FromArgInPlatform",
       "FROM --platform=${BUILDPLATFROM:-linux/amd64} alpine\n",
       {"1 UndefinedArgInFrom: FROM argument 'BUILDPLATFROM' is not declared (did you mean BUILDPLATFORM?)"}},
      {"FromArgGiven",
       "FROM alpine:${TAG:-1}\n",
       {"1 UndefinedArgInFrom: FROM argument 'TAG' is not declared"},
       {{"TAG", "2"}}},
      {"FromArgBlank",
       "FROM ${BASE}\n",
       {"1 UndefinedArgInFrom: FROM argument 'BASE' is not declared",
        "1 InvalidDefaultArgInFrom: Default value for ARG ${BASE} results in empty or invalid base image name"},
       {},
       "",
       {},
       "base name (${BASE}) should not be blank"},
      {"FromArgEscaped",
       "FROM alpine:a\\$b\n",
       {"1 InvalidDefaultArgInFrom: Default value for ARG alpine:a\\$b results in empty or invalid base image name"},
       {},
       "",
       {},
       "failed to parse image name \"alpine:a$b\""},
  };
}

std::vector<LintCase> default_cases() {
  const auto text = [](const std::string& line, const std::string& name) {
    return line + " InvalidDefaultArgInFrom: Default value for ARG " + name +
           " results in empty or invalid base image name";
  };
  return {
      {"DefaultPlain", "FROM alpine\nFROM registry.example.com:5000/a/b:1\nFROM localhost/a\n", {}},
      {"DefaultOfArg", "ARG BASE=alpine\nFROM $BASE\n", {}},
      {"DefaultMissing", "ARG BASE\nFROM $BASE\n", {text("2", "$BASE")}, {{"BASE", "alpine"}}},
      {"DefaultMissingTag", "ARG TAG\nFROM alpine:$TAG\n", {text("2", "alpine:$TAG")}, {{"TAG", "1"}}},
      {"DefaultMissingTagWithFallback", "ARG TAG\nFROM alpine:${TAG:-1}\n", {}, {{"TAG", "2"}}},
      {"DefaultMissingTagWithOptionalColon", "ARG TAG\nFROM alpine${TAG:+:$TAG}\n", {}, {{"TAG", "2"}}},
      {"DefaultInCapitals", "ARG BASE=Alpine\nFROM $BASE\n", {text("2", "$BASE")}, {{"BASE", "alpine"}}},
      {"DefaultWithEmptyPart", "ARG REGISTRY\nFROM $REGISTRY/a\n", {text("2", "$REGISTRY/a")}, {{"REGISTRY", "x.com"}}},
      {"DefaultOfOtherArg", "ARG A=alpine\nARG B=$A\nFROM $B\n", {}},
      {"DefaultWithDigest",
       "ARG D=sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nFROM alpine@$D\n",
       {}},
      {"DefaultWithShortDigest",
       "ARG D=sha256:aaaa\nFROM alpine@$D\n",
       {text("2", "alpine@$D")},
       {{"D", "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}},
      {"DefaultOfUnreachableStage",
       "ARG B\nFROM alpine:${B} AS a\nFROM scratch\n",
       {text("2", "alpine:${B}")},
       {{"B", "1"}}},
      {"DefaultWithSeparators", "FROM a__b/c--d.e\n", {}},
      {"DefaultWithBadSeparators", "ARG B=a..b\nFROM $B\n", {text("2", "$B")}, {{"B", "a"}}},
  };
}

std::vector<LintCase> platform_cases() {
  const auto constant = [](const std::string& line, const std::string& value) {
    return line + " FromPlatformFlagConstDisallowed: FROM --platform flag should not use constant value \"" + value +
           "\"";
  };
  const auto redundant = [](const std::string& value) {
    return "1 RedundantTargetPlatform: Setting platform to predefined " + value +
           " in FROM is redundant as this is the default behavior";
  };
  return {
      {"PlatformNone", "FROM alpine\n", {}},
      {"PlatformOfBuild", "FROM --platform=$BUILDPLATFORM alpine\n", {}},
      {"PlatformOfTarget", "FROM --platform=$TARGETPLATFORM alpine\n", {redundant("$TARGETPLATFORM")}},
      {"PlatformOfTargetInBraces", "FROM --platform=${TARGETPLATFORM} alpine\n", {redundant("${TARGETPLATFORM}")}},
      {"PlatformOfTargetWithDefault",
       "FROM --platform=${TARGETPLATFORM:-linux/amd64} alpine\n",
       {redundant("${TARGETPLATFORM:-linux/amd64}")}},
      {"PlatformOfTargetGiven",
       "FROM --platform=$TARGETPLATFORM alpine\n",
       {redundant("$TARGETPLATFORM")},
       {{"TARGETPLATFORM", "linux/arm64"}}},
      {"PlatformOfTargetInUnreachableStage",
       "FROM --platform=$TARGETPLATFORM alpine AS a\nFROM scratch AS b\n",
       {redundant("$TARGETPLATFORM")},
       {},
       "b"},
      {"PlatformOfTargetTwice", "FROM --platform=$TARGETPLATFORM$TARGETPLATFORM alpine\n", {}},
      {"PlatformUnknown",
       "FROM --platform=linus alpine\n",
       {},
       {},
       "",
       {},
       "failed to parse platform linus: \"linus\" is none"},
      {"PlatformOfTargetParts", "FROM --platform=$TARGETOS/$TARGETARCH alpine\n", {}},
      {"PlatformOfOtherArg", "ARG P=linux/amd64\nFROM --platform=$P alpine\n", {}},
      {"PlatformOfArgFromTarget", "ARG P=$TARGETPLATFORM\nFROM --platform=$P alpine\n", {}},
      {"PlatformConstant", "FROM --platform=linux/amd64 alpine\n", {constant("1", "linux/amd64")}},
      {"PlatformConstantArchitecture", "FROM --platform=amd64 alpine AS base\n", {constant("1", "amd64")}},
      {"PlatformConstantOs", "FROM --platform=linux alpine AS base\n", {constant("1", "linux")}},
      {"PlatformConstantNamedAfterOs", "FROM --platform=linux/amd64 alpine AS build-linux\n", {}},
      {"PlatformConstantNamedAfterArchitecture", "FROM --platform=linux/amd64 alpine AS build_amd64\n", {}},
      {"PlatformConstantNamedAfterAlias", "FROM --platform=linux/x86_64 alpine AS build_amd64\n", {}},
      {"PlatformConstantNamedOtherwise",
       "FROM --platform=linux/amd64 alpine AS build_arm64\n",
       {constant("1", "linux/amd64")}},
      {"PlatformConstantWithVariant", "FROM --platform=linux/amd64/v2 alpine\n", {constant("1", "linux/amd64/v2")}},
      {"PlatformConstantInUnreachableStage",
       "FROM --platform=linux/amd64 alpine AS a\nFROM scratch\n",
       {constant("1", "linux/amd64")},
       {},
       "1"},
  };
}

std::vector<LintCase> image_platform_cases() {
  const std::string text =
      " InvalidBaseImagePlatform: Base image arm-image was pulled with platform \"linux/arm64\", expected "
      "\"linux/amd64\" for current build";
  return {
      {"ImageOfPlatform", "FROM alpine\n", {}},
      {"ImageOfOtherPlatform", "FROM arm-image\n", {"1" + text}},
      {"ImageOfOtherPlatformTwice", "FROM arm-image AS a\nFROM arm-image\n", {"1" + text, "2" + text}},
      {"ImageOfOtherPlatformAsStage", "FROM arm-image AS a\nFROM a\n", {"1" + text}},
      {"ImageOfOtherPlatformUnreachable", "FROM arm-image AS a\nFROM scratch AS b\n", {}, {}, "b"},
      {"ImageOfOtherPlatformByArg", "ARG B=arm-image\nFROM $B\n", {"2" + text}},
  };
}

}  // namespace

std::vector<LintCase> lint_from_cases() {
  std::vector<LintCase> all;
  for (const auto& cases : {undeclared_cases(), default_cases(), platform_cases(), image_platform_cases()}) {
    all.insert(all.end(), cases.begin(), cases.end());
  }
  return all;
}
