#include "layer/file_copier.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/file.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace tektii::layer {
namespace {

class FileCopierTest : public ::testing::Test {
 protected:
  std::string copy_of(const std::filesystem::path& from, bool has_holes) {
    const auto to = directory_.path() / "copy";
    std::filesystem::remove(to);
    const UniqueFd in = open_file(from, O_RDONLY);
    const UniqueFd out = open_file(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
    copier_.copy(in.get(), out.get(), std::filesystem::file_size(from), has_holes, "/file", {});
    return read_file(to);
  }

  TempDir directory_;
  FileCopier copier_;
};

TEST_F(FileCopierTest, CopiesOfEverySize) {
  for (const std::size_t size : {0U, 1U, 4095U, 4096U, 4097U, 3'000'001U}) {
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; i += 97) text[i] = static_cast<char>(i);
    write_file_atomic(directory_.path() / "file", text);
    EXPECT_EQ(copy_of(directory_.path() / "file", false), text) << size;
  }
  EXPECT_EQ(copier_.cloned() + copier_.copied(), 5U);  // an empty one has nothing to copy
}

TEST_F(FileCopierTest, HolesStayHoles) {
  constexpr off_t k_size = 8 << 20;
  const auto file = directory_.path() / "sparse";
  const UniqueFd fd = open_file(file, O_RDWR | O_CREAT, 0600);
  ASSERT_EQ(::pwrite(fd.get(), "middle", 6, 4 << 20), 6);
  ASSERT_EQ(::ftruncate(fd.get(), k_size), 0);
  EXPECT_EQ(copy_of(file, true), read_file(file));
  struct stat status {};
  ASSERT_EQ(::stat((directory_.path() / "copy").c_str(), &status), 0);
  EXPECT_EQ(status.st_size, k_size);
  EXPECT_LT(status.st_blocks * 512, k_size / 4);
}

TEST_F(FileCopierTest, NothingButAHole) {
  const auto file = directory_.path() / "hole";
  const UniqueFd fd = open_file(file, O_RDWR | O_CREAT, 0600);
  ASSERT_EQ(::ftruncate(fd.get(), 1 << 20), 0);
  EXPECT_EQ(copy_of(file, true), std::string(1 << 20, '\0'));
}

TEST_F(FileCopierTest, FileThatBecameShorterIsAnError) {
  write_file_atomic(directory_.path() / "file", "short");
  const UniqueFd in = open_file(directory_.path() / "file", O_RDONLY);
  const UniqueFd out = open_file(directory_.path() / "out", O_WRONLY | O_CREAT, 0600);
  FileCopier copier;
  // With shared blocks there is nothing to see, and the attributes tell.
  try {
    copier.copy(in.get(), out.get(), 100, false, "/file", {});
    EXPECT_EQ(copier.cloned(), 1U);
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "/file changed while it was copied");
  }
}

}  // namespace
}  // namespace tektii::layer
