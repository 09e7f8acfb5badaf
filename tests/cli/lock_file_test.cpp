#include "cli/build/lock_file.hpp"

#include <tektii/util/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tektii::cli {
namespace {

using ::testing::HasSubstr;

LockFile some_lock() {
  LockFile lock;
  lock.build_args = {{"TAG", "3.12"}};
  lock.images.emplace("docker.io/library/python:3.12", oci::Digest::of_bytes("image"));
  lock.files.emplace("https://example.org/a.tgz", LockedFile{oci::Digest::of_bytes("file"), 4, 1700000000});
  lock.files.emplace("https://example.org/b", LockedFile{oci::Digest::of_bytes("b"), 1});
  lock.repositories.emplace("https://example.org/r.git#v1", std::string(40, 'a'));
  return lock;
}

TEST(LockFile, IsReadAsItWasWritten) {
  const auto lock = some_lock();
  EXPECT_EQ(LockFile::parse(lock.serialise(), "tektii.lock"), lock);
  EXPECT_EQ(LockFile::parse(LockFile{}.serialise(), "tektii.lock"), LockFile{});
}

TEST(LockFile, HasSortedNames) {
  EXPECT_EQ(some_lock().serialise(), R"({
  "buildArgs": {
    "TAG": "3.12"
  },
  "git": {
    "https://example.org/r.git#v1": {
      "commit": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    }
  },
  "http": {
    "https://example.org/a.tgz": {
      "digest": "sha256:3b9c358f36f0a31b6ad3e14f309c7cf198ac9246e8316f9ce543d5b19ac02b80",
      "lastModified": "2023-11-14T22:13:20Z",
      "size": 4
    },
    "https://example.org/b": {
      "digest": "sha256:3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d",
      "size": 1
    }
  },
  "images": {
    "docker.io/library/python:3.12": {
      "digest": "sha256:6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d"
    }
  },
  "platform": "linux/amd64",
  "version": 1
}
)");
}

TEST(LockFile, WhatIsMalformedIsRefusedByName) {
  struct Case {
    const char* text;
    const char* message;
  };
  for (const auto& [text, message] : {
           Case{"", "holds no JSON object"},
           Case{"[]", "holds no JSON object"},
           Case{"{}", "it has no version"},
           Case{R"({"version":"1"})", "it has no version"},
           Case{R"({"version":2})", "version 2 of lock files is not known"},
           Case{R"({"version":1})", "it has no \"platform\""},
           Case{R"({"version":1,"platform":"p","images":[]})", "\"images\" is not an object"},
           Case{R"({"version":1,"platform":"p","images":{"a":{}}})", "a has no \"digest\""},
           Case{R"({"version":1,"platform":"p","images":{"a":"x"}})", "a has no \"digest\""},
           Case{R"({"version":1,"platform":"p","images":{"a":{"digest":"sha256:../x"}}})",
                "the digest of a is malformed"},
           Case{R"({"version":1,"platform":"p","http":{"u":{"digest":"sha256:12"}}})", "the digest of u is malformed"},
           Case{R"({"version":1,"platform":"p","git":{"r":{"commit":"main"}}})", "the commit of r is malformed"},
           Case{R"({"version":1,"platform":"p","buildArgs":{"A":1}})", "the build argument A is no text"},
       }) {
    try {
      LockFile::parse(text, "tektii.lock");
      ADD_FAILURE() << text << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage) << text;
      EXPECT_THAT(error.message(), HasSubstr("tektii.lock: ")) << text;
      EXPECT_THAT(error.message(), HasSubstr(message)) << text;
    }
  }
}

}  // namespace
}  // namespace tektii::cli
