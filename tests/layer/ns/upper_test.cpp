#include "layer/ns/ns_test.hpp"
#include "layer/support.hpp"
#include <tektii/layer/upper.hpp>

#include <sys/stat.h>

namespace tektii::layer {
namespace {

using namespace testing;

class UpperTest : public NamespaceTest {};

TEST_F(UpperTest, DirectoriesThatALayerPassedThroughGetTheirAttributes) {
  fs::FileMetadata owned = directory_metadata(0700);
  owned.uid = 33;
  owned.gid = 34;
  FileTree tree;
  tree.apply(
      LayerIndex{{entry_of("tmp", directory_metadata(01777)), entry_of("srv", owned),
                  entry_of("srv/in", directory_metadata(0750, 4242)), entry_of("opt", directory_metadata(0711))}},
      oci::Digest::of_bytes("first"));
  tree.apply(LayerIndex{{entry_of("tmp/f", file_metadata(1)), entry_of("srv/in/f", file_metadata(1))}},
             oci::Digest::of_bytes("second"));
  const TempDir upper;
  prepare_upper(upper.path(), tree);
  const auto status = [&](const char* name) {
    struct stat result {};
    EXPECT_EQ(::stat((upper.path() / name).c_str(), &result), 0) << name;
    return result;
  };
  EXPECT_EQ(status("tmp").st_mode & 07777U, 01777U);
  EXPECT_EQ(status("srv").st_mode & 07777U, 0700U);
  EXPECT_EQ(status("srv").st_uid, 33U);
  EXPECT_EQ(status("srv").st_gid, 34U);
  EXPECT_EQ(status("srv/in").st_mode & 07777U, 0750U);
  EXPECT_EQ(status("srv/in").st_mtime, 4242);
  EXPECT_FALSE(std::filesystem::exists(upper.path() / "opt"));
}

}  // namespace
}  // namespace tektii::layer
