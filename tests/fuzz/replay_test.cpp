// Runs the kept inputs of the fuzz targets, and the corpus of Dockerfiles, through the functions that are fuzzed.
#include "fuzz/targets.hpp"
#include <tektii/util/file.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <ostream>

namespace tektii::fuzz {
namespace {

struct Target {
  std::string name;
  void (*check)(std::string_view);
  std::vector<std::string> folders;  // of testdata
};

void PrintTo(const Target& target, std::ostream* out) {
  *out << target.name;
}

class Replay : public ::testing::TestWithParam<Target> {};

TEST_P(Replay, KeptInputsHold) {
  int inputs = 0;
  for (const std::string& folder : GetParam().folders) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(TEKTII_TESTDATA_DIR) / folder)) {
      files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files) {
      SCOPED_TRACE(file.string());
      EXPECT_NO_THROW(GetParam().check(read_file(file)));
      ++inputs;
    }
  }
  EXPECT_GE(inputs, 5);
}

INSTANTIATE_TEST_SUITE_P(
    Fuzz, Replay,
    ::testing::Values(Target{"parser", check_parser, {"fuzz/parser", "dockerfile/ok", "dockerfile/bad"}},
                      Target{"expander", check_expander, {"fuzz/expander"}},
                      Target{"ignore", check_ignore, {"fuzz/ignore"}}, Target{"flags", check_flags, {"fuzz/flags"}},
                      Target{"cache", check_cache, {"fuzz/cache"}}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace tektii::fuzz
