// Damaged Dockerfiles and words end in an Error or in a result, never in a crash. Seeded, so that a failure repeats.
#include <tektii/dockerfile/expand.hpp>
#include <tektii/dockerfile/instruction.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

namespace tektii::dockerfile {
namespace {

constexpr std::string_view k_alphabet =
    "\\\"'`$<>{}[]-=#:/%*?,!@ \t\r\n\0\x80\xff\xe4"
    "EOFRUN01";
constexpr int k_rounds = 60;  // of each file of the corpus

class Mutator {
 public:
  std::string mutate(std::string text) {
    for (int edits = 1 + pick(8); edits > 0; --edits) {
      const auto at = static_cast<std::size_t>(pick(static_cast<int>(text.size()) + 1));
      const char c = k_alphabet[static_cast<std::size_t>(pick(static_cast<int>(k_alphabet.size())))];
      if (pick(3) == 0 && at < text.size()) {
        text.erase(at, static_cast<std::size_t>(pick(20)));
      } else if (pick(2) == 0 && at < text.size()) {
        text[at] = c;
      } else {
        text.insert(at, 1, c);
      }
    }
    return text;
  }

 private:
  int pick(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }

  std::mt19937 random_{20240115};
};

// 1 when the text was refused.
int try_parse(const std::string& text) {
  try {
    const Dockerfile file = parse_dockerfile(text, "mutant");
    EXPECT_FALSE(file.stages.empty());
    return 0;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_TRUE(error.span().has_value()) << error.what();
    return 1;
  }
}

TEST(Mutation, OfDockerfiles) {
  Mutator mutator;
  int refused = 0;
  int accepted = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(TEKTII_TESTDATA_DIR) / "dockerfile" / "ok")) {
    if (entry.path().extension() != ".Dockerfile") continue;
    const std::string text = read_file(entry.path());
    for (int i = 0; i < k_rounds; ++i) {
      const int result = try_parse(mutator.mutate(text));
      refused += result;
      accepted += 1 - result;
    }
  }
  EXPECT_GT(refused, 100);
  EXPECT_GT(accepted, 100);
}

TEST(Mutation, OfWords) {
  const std::string seed = "${A:-${B}}x\"$C ${D##*/}\" '${E}' ${F//a\\/b/${G:+z}} $1 \\$H";
  const Lookup lookup = [](std::string_view name) -> std::optional<std::string> {
    if (name.size() != 1 || name > "E") return std::nullopt;
    return "va/lue*";
  };
  Mutator mutator;
  int refused = 0;
  for (int i = 0; i < 120 * k_rounds; ++i) {
    try {
      const Expanded expanded = expand_word(mutator.mutate(seed), lookup);
      EXPECT_LT(expanded.text.size(), 10000U);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      ++refused;
    }
  }
  EXPECT_GT(refused, 100);
  EXPECT_LT(refused, 120 * k_rounds);
}

}  // namespace
}  // namespace tektii::dockerfile
