#include "layer/support.hpp"
#include <tektii/layer/file_tree.hpp>
#include <tektii/util/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::layer {
namespace {

using namespace testing;
using ::testing::HasSubstr;

const oci::Digest k_first = oci::Digest::of_bytes("first");
const oci::Digest k_second = oci::Digest::of_bytes("second");

LayerEntry link_of(const std::string& path, const std::string& target) {
  LayerEntry entry;
  entry.kind = LayerEntry::Kind::hard_link;
  entry.path = path;
  entry.hard_link_target = target;
  return entry;
}

LayerEntry opaque_of(const std::string& path) {
  LayerEntry entry;
  entry.kind = LayerEntry::Kind::opaque;
  entry.path = path;
  return entry;
}

FileTree tree_of(std::vector<LayerEntry> entries) {
  FileTree tree;
  tree.apply(LayerIndex{std::move(entries)}, k_first);
  return tree;
}

TEST(FileTree, EmptyTreeHasARoot) {
  const FileTree tree;
  ASSERT_NE(tree.find(""), nullptr);
  EXPECT_EQ(tree.find("")->metadata.mode, 0755U);
  EXPECT_EQ(tree.find("")->layer, std::nullopt);
  EXPECT_EQ(tree.find("a"), nullptr);
  EXPECT_EQ(tree.account_file("/etc/passwd"), "");
}

TEST(FileTree, CopiesDoNotSeeEachOther) {
  const FileTree base = tree_of({entry_of("a", directory_metadata()), entry_of("a/x", file_metadata(1))});
  FileTree one = base;
  FileTree two = base;
  one.apply(LayerIndex{{entry_of("a/y", file_metadata(2))}}, k_second);
  two.apply(LayerIndex{{whiteout_of("a/x")}}, k_second);
  EXPECT_NE(base.find("a/x"), nullptr);
  EXPECT_EQ(base.find("a/y"), nullptr);
  EXPECT_NE(one.find("a/x"), nullptr);
  EXPECT_NE(one.find("a/y"), nullptr);
  EXPECT_EQ(two.find("a/x"), nullptr);
}

TEST(FileTree, LayersReplaceAsTheSpecSays) {
  const FileTree base = tree_of({entry_of("d", directory_metadata(0700)), entry_of("d/x", file_metadata(1)),
                                 entry_of("d/y", file_metadata(1)), entry_of("f", file_metadata(1)),
                                 entry_of("l", symlink_metadata("d"))});
  struct Case {
    const char* name;
    std::vector<LayerEntry> layer;
    std::vector<std::string> present;
    std::vector<std::string> absent;
  };
  const Case cases[] = {
      {"directory over directory keeps what is in it", {entry_of("d", directory_metadata())}, {"d/x", "d/y"}, {}},
      {"file over directory", {entry_of("d", file_metadata(1))}, {"d"}, {"d/x"}},
      {"directory over file", {entry_of("f", directory_metadata()), entry_of("f/a", file_metadata(1))}, {"f/a"}, {}},
      {"whiteout", {whiteout_of("d/x")}, {"d/y"}, {"d/x"}},
      {"whiteout of a directory", {whiteout_of("d")}, {"f"}, {"d", "d/x"}},
      {"whiteout of nothing", {whiteout_of("no/such"), whiteout_of("f/below")}, {"f"}, {"no"}},
      {"whiteout after the file in the same layer",
       {entry_of("d/x", file_metadata(9)), whiteout_of("d/x")},
       {"d/x"},
       {}},
      {"opaque", {opaque_of("d"), entry_of("d/z", file_metadata(1))}, {"d/z"}, {"d/x", "d/y"}},
      {"opaque at the end", {entry_of("d/z", file_metadata(1)), opaque_of("d")}, {"d/z"}, {"d/x", "d/y"}},
      {"a symlinked parent is not followed", {entry_of("l/new", file_metadata(1))}, {"l/new", "d/x"}, {"d/new"}},
      {"file, then directory, in one layer",
       {entry_of("d", file_metadata(1)), entry_of("d", directory_metadata())},
       {"d"},
       {"d/x"}},
  };
  for (const Case& c : cases) {
    FileTree tree = base;
    tree.apply(LayerIndex{c.layer}, k_second);
    for (const std::string& path : c.present) EXPECT_NE(tree.find(path), nullptr) << c.name << ": " << path;
    for (const std::string& path : c.absent) EXPECT_EQ(tree.find(path), nullptr) << c.name << ": " << path;
  }
}

TEST(FileTree, KnowsDirectoriesThatALayerPassedThroughWithoutAnEntry) {
  FileTree tree = tree_of({entry_of("tmp", directory_metadata(01777)), entry_of("var", directory_metadata()),
                           entry_of("var/lib", directory_metadata(0700)), entry_of("var/lib/x", file_metadata(1))});
  EXPECT_TRUE(tree.overlaid_directories().empty());
  tree.apply(LayerIndex{{entry_of("tmp/f", file_metadata(1)), whiteout_of("var/lib/x")}}, k_second);
  EXPECT_EQ(tree.overlaid_directories(), (std::vector<std::string>{"tmp", "var", "var/lib"}));
  EXPECT_EQ(tree.find("tmp")->metadata.mode, 01777U);
  // An entry of a later layer makes what is unpacked right again; a directory that is gone needs nothing.
  tree.apply(LayerIndex{{entry_of("tmp", directory_metadata(01777)), whiteout_of("var")}},
             oci::Digest::of_bytes("third"));
  EXPECT_TRUE(tree.overlaid_directories().empty());
}

TEST(FileTree, DirectoryOverDirectoryReplacesAttributes) {
  FileTree tree = tree_of({entry_of("tmp", directory_metadata(01777)), entry_of("tmp/a", file_metadata(1))});
  FileTree implicit = tree;
  tree.apply(LayerIndex{{entry_of("tmp", directory_metadata(0711))}}, k_second);
  EXPECT_EQ(tree.find("tmp")->metadata.mode, 0711U);
  EXPECT_EQ(tree.find("tmp")->layer, k_second);
  // A parent that the layer only passes through stays as it is.
  implicit.apply(LayerIndex{{entry_of("tmp/b", file_metadata(1)), entry_of("new/c", file_metadata(1))}}, k_second);
  EXPECT_EQ(implicit.find("tmp")->metadata.mode, 01777U);
  EXPECT_EQ(implicit.find("new")->metadata.mode, 0755U);
}

TEST(FileTree, HardLinksShareTheNode) {
  const FileTree tree = tree_of({entry_of("bin/a", file_metadata(7, 0755)), link_of("bin/b", "bin/a")});
  const FileTree::Node* node = tree.find("bin/b");
  ASSERT_NE(node, nullptr);
  EXPECT_EQ(node->metadata, file_metadata(7, 0755));
  EXPECT_EQ(node->path_in_layer, "bin/a");
  FileTree other = tree;
  for (const char* target : {"bin/a", "missing", "bin"}) {
    EXPECT_THAT(error_of([&] { other.apply(LayerIndex{{link_of("x", target)}}, k_second); }),
                HasSubstr(std::string("leads to \"") + target + "\""));
  }
  EXPECT_EQ(other.find("x"), nullptr);  // an apply that fails changes nothing
}

TEST(FileTree, RefusesEntriesBelowAFileOfTheSameLayer) {
  EXPECT_THAT(error_of([] {
                tree_of({entry_of("a", symlink_metadata("/etc")), entry_of("a/passwd", file_metadata(1))});
              }),
              HasSubstr("below \"a\""));
}

TEST(FileTree, ResolvesAsTheKernelInAChroot) {
  const FileTree tree = tree_of({
      entry_of("usr/bin/python3.11", file_metadata(1)),
      entry_of("usr/bin/python3", symlink_metadata("python3.11")),
      entry_of("usr/bin/python", symlink_metadata("/usr/bin/python3")),
      entry_of("bin", symlink_metadata("usr/bin")),
      entry_of("up", symlink_metadata("../../../usr")),
      entry_of("self", symlink_metadata("self")),
      entry_of("dangling", symlink_metadata("usr/share/none")),
      entry_of("dots", symlink_metadata("./usr/./bin/../bin/")),
      entry_of("root", symlink_metadata("/")),
      entry_of("usr/local/abs", symlink_metadata("/bin")),
  });
  struct Case {
    const char* path;
    bool follow_last;
    const char* resolved;
    bool exists;
  };
  const Case cases[] = {
      {"", true, "", true},
      {"/", true, "", true},
      {"/bin/python", true, "usr/bin/python3.11", true},
      {"bin/python", false, "usr/bin/python", true},
      {"bin", false, "bin", true},
      {"bin/", true, "usr/bin", true},
      {"//usr//bin//", true, "usr/bin", true},
      {"up/bin", true, "usr/bin", true},
      {"../../bin", true, "usr/bin", true},
      {"usr/bin/../..", true, "", true},
      {"dangling", true, "usr/share/none", false},
      {"dangling/below", true, "usr/share/none/below", false},
      {"dangling", false, "dangling", true},
      {"dots/python3", false, "usr/bin/python3", true},
      {"root/root/bin/new", true, "usr/bin/new", false},
      {"usr/local/abs/new/deep", true, "usr/bin/new/deep", false},
      {"new/../usr", true, "usr", true},
      {"usr/bin/python3.11/x", true, "usr/bin/python3.11/x", false},
  };
  for (const Case& c : cases) {
    const FileTree::Resolved resolved = tree.resolve(c.path, c.follow_last);
    EXPECT_EQ(resolved.path, c.resolved) << c.path;
    EXPECT_EQ(resolved.node != nullptr, c.exists) << c.path;
    EXPECT_EQ(resolved.node, tree.find(resolved.path)) << c.path;
  }
  EXPECT_THAT(error_of([&] { tree.resolve("self"); }), HasSubstr("too many levels of symbolic links"));
  EXPECT_EQ(tree.resolve("self", false).path, "self");
}

TEST(FileTree, FortyLinksAreTheLimit) {
  std::vector<LayerEntry> entries{entry_of("l0", file_metadata(1))};
  for (int i = 1; i <= 41; ++i) {
    entries.push_back(entry_of("l" + std::to_string(i), symlink_metadata("l" + std::to_string(i - 1))));
  }
  const FileTree tree = tree_of(std::move(entries));
  EXPECT_EQ(tree.resolve("l40").path, "l0");
  EXPECT_THROW(tree.resolve("l41"), Error);
}

TEST(FileTree, AccountFileIsReadThroughSymlinks) {
  LayerEntry passwd = entry_of("etc/passwd", file_metadata(5));
  passwd.content = "root:";
  const FileTree tree = tree_of({passwd, entry_of("link", symlink_metadata("/etc/passwd"))});
  EXPECT_EQ(tree.account_file("/etc/passwd"), "root:");
  EXPECT_EQ(tree.account_file("link"), "root:");
  EXPECT_EQ(tree.account_file("etc/group"), "");
}

}  // namespace
}  // namespace tektii::layer
