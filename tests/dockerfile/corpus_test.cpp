// Parses every testdata/dockerfile/{ok,bad}/*.Dockerfile and compares what comes out with the .golden file beside it.
#include "dockerfile/dump.hpp"
#include <tektii/dockerfile/instruction.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace tektii::dockerfile {
namespace {

std::vector<std::filesystem::path> corpus() {
  std::vector<std::filesystem::path> files;
  for (const char* folder : {"ok", "bad"}) {
    const auto path = std::filesystem::path(TEKTII_TESTDATA_DIR) / "dockerfile" / folder;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      if (entry.path().extension() == ".Dockerfile") files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string parse_and_dump(const std::filesystem::path& path) {
  try {
    return dump(parse_dockerfile(read_file(path), path.filename().string()));
  } catch (const Error& error) {
    return dump(error);
  }
}

class Corpus : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(Corpus, MatchesGolden) {
  const auto& path = GetParam();
  auto golden = path;
  golden.replace_extension(".golden");
  const std::string actual = parse_and_dump(path);
  const char* update = std::getenv("TEKTII_UPDATE_GOLDEN");
  if (update != nullptr && std::string(update) == "1") {
    write_file_atomic(golden, actual);
    GTEST_SKIP() << "golden file written, nothing compared";
  }
  EXPECT_EQ(actual, read_file(golden));
  const bool is_dump = actual.starts_with("escape ");
  EXPECT_EQ(is_dump, path.parent_path().filename() == "ok") << actual;
}

INSTANTIATE_TEST_SUITE_P(All, Corpus, ::testing::ValuesIn(corpus()), [](const auto& test) {
  std::string name = test.param.parent_path().filename().string() + "_" + test.param.stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

std::vector<std::string> files_named_in(const std::string& page) {
  std::vector<std::string> files;
  const auto parts = split(page, '`');  // odd parts stand between back quotes
  for (std::size_t i = 1; i < parts.size(); i += 2) {
    if (parts[i].ends_with(".Dockerfile") || parts[i].ends_with(".table")) files.push_back(parts[i]);
  }
  return files;
}

TEST(CorpusFolder, IsCoveredByItsIndex) {
  const std::filesystem::path root = TEKTII_TESTDATA_DIR;
  const std::string page = read_file(root / "dockerfile" / "COVERAGE.md");
  const std::vector<std::string> named = files_named_in(page);
  for (const std::string& file : named) EXPECT_TRUE(std::filesystem::exists(root / file)) << file;
  for (const auto& path : corpus()) {
    const std::string file = std::filesystem::relative(path, root).string();
    EXPECT_NE(std::find(named.begin(), named.end(), file), named.end()) << file << " is not in COVERAGE.md";
  }
  for (char section = '1'; section <= '7'; ++section) {
    EXPECT_NE(page.find(std::string("\n## ") + section + " "), std::string::npos) << "no section " << section;
  }
}

TEST(CorpusFolder, HoldsFiles) {
  EXPECT_GE(corpus().size(), 170U);
}

}  // namespace
}  // namespace tektii::dockerfile
