#pragma once

#include <tektii/util/file.hpp>

#include <gtest/gtest.h>

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace tektii::layer::testing {

// A test that owns files of other users and mounts: needs root. The mounts are made in a private namespace.
class NamespaceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string reason;
    if (::geteuid() != 0) {
      reason = "needs root";
    } else if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      reason = "needs a private mount namespace";
    }
    if (reason.empty()) return;
    const char* required = std::getenv("TEKTII_REQUIRE_NS");
    if (required != nullptr && std::string_view(required) == "1") FAIL() << reason;
    GTEST_SKIP() << reason;
  }
};

}  // namespace tektii::layer::testing
