#include "layer/ns/ns_test.hpp"
#include "layer/support.hpp"
#include <tektii/layer/diff.hpp>
#include <tektii/layer/snapshots.hpp>
#include <tektii/layer/upper.hpp>
#include <tektii/layer/working_tree.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace tektii::layer {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace stdfs = std::filesystem;

constexpr std::int64_t k_clamp = 1600000000;
const std::string k_capability("\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20);

fs::FileMetadata node_metadata(fs::FileType type, std::uint32_t major = 0, std::uint32_t minor = 0) {
  fs::FileMetadata metadata = file_metadata(0, 0640);
  metadata.type = type;
  metadata.device_major = major;
  metadata.device_minor = minor;
  return metadata;
}

// Three layers with all that a file system can hold, and two ways to change them: a mount of overlayfs, and a working
// tree.
class WorkingTreeTest : public NamespaceTest {
 protected:
  void SetUp() override {
    NamespaceTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    add_base();
    add_middle();
    add_top();
  }

  void add_base() {
    LayerWriter writer(store_, {Compression::gzip, 1, 1});
    writer.add("bin", symlink_metadata("usr/bin"), {});
    writer.add("dev", directory_metadata(), {});
    writer.add("dev/null", node_metadata(fs::FileType::char_device, 1, 3), {});
    writer.add("etc", directory_metadata(), {});
    writer.add("etc/motd", file_metadata(5), content("hello"));
    writer.add("etc/passwd", file_metadata(7), content("root:x\n"));
    writer.add("gone", directory_metadata(), {});
    writer.add("gone/file", file_metadata(1), content("g"));
    writer.add("run", directory_metadata(), {});
    writer.add("run/pipe", node_metadata(fs::FileType::fifo), {});
    writer.add("tmp", directory_metadata(01777), {});
    writer.add("usr", directory_metadata(), {});
    writer.add("usr/bin", directory_metadata(), {});
    writer.add("usr/bin/perl", file_metadata(4, 0755), content("perl"));
    writer.add_hard_link("usr/bin/perl5", "usr/bin/perl");
    fs::FileMetadata ping = file_metadata(4, 0755);
    ping.xattrs["security.capability"] = k_capability;
    writer.add("usr/bin/ping", ping, content("ping"));
    fs::FileMetadata owned = file_metadata(3, 04750);
    owned.uid = 12;
    owned.gid = 34;
    owned.xattrs["user.note"] = "kept";
    writer.add("usr/bin/sudo", owned, content("su!"));
    writer.add("usr/share", directory_metadata(), {});
    writer.add("usr/share/a", directory_metadata(0750), {});
    writer.add("usr/share/a/one", file_metadata(1), content("1"));
    writer.add("usr/share/a/sub", directory_metadata(), {});
    writer.add("usr/share/a/sub/deep", file_metadata(1), content("d"));
    writer.add("usr/share/a/two", file_metadata(1), content("2"));
    writer.add("usr/share/zero", file_metadata(0), content(""));
    push(writer.commit());
  }

  // Replaces, removes, and leaves parents out.
  void add_middle() {
    LayerWriter writer(store_, {Compression::gzip, 1, 1});
    writer.add_whiteout("gone", 0);
    writer.add("usr/share/a/new", file_metadata(3), content("new"));
    writer.add_whiteout("usr/share/a/two", 0);
    writer.add("usr/share/links", directory_metadata(), {});
    writer.add("usr/share/links/x", file_metadata(6), content("linked"));
    writer.add_hard_link("usr/share/links/y", "usr/share/links/x");
    writer.add_hard_link("usr/share/links/z", "usr/share/links/x");
    push(writer.commit());
  }

  // The name under which the bytes of the links are is gone, and a directory is a file now and back again.
  void add_top() {
    LayerWriter writer(store_, {Compression::gzip, 1, 1});
    writer.add("gone", directory_metadata(0700), {});
    writer.add("gone/again", file_metadata(2), content("ga"));
    writer.add_whiteout("usr/share/links/x", 0);
    push(writer.commit());
  }

  void push(const WrittenLayer& written) {
    layers_.emplace(written.layer.diff_id, written.layer);
    lower_.insert(lower_.begin(), snapshots_.directory(written.layer, {}));
    tree_.apply(written.index, written.layer.diff_id);
  }

  LayerDirectory directories() {
    return [this](const oci::Digest& diff_id) { return snapshots_.directory(layers_.at(diff_id), {}); };
  }

  WorkingTree make_tree() { return {snapshots_.make_workspace(), tree_, directories(), {}}; }

  static void run(const stdfs::path& root, const std::string& script) {
    const std::string command = "set -e; umask 022; cd '" + root.string() + "'; " + script;
    ASSERT_EQ(std::system(command.c_str()), 0) << script;
  }

  WrittenLayer by_overlay(const std::string& script) {
    const OverlayWorkspace workspace = snapshots_.make_workspace();
    prepare_upper(workspace.upper(), tree_);
    std::string options = "userxattr,index=off,upperdir=" + workspace.upper().string() +
                          ",workdir=" + workspace.work().string() + ",lowerdir=";
    for (const auto& directory : lower_) options += (options.back() == '=' ? "" : ":") + directory.string();
    const stdfs::path merged = mount_point_.path();
    if (::mount("overlay", merged.c_str(), "overlay", 0, options.c_str()) != 0) {
      throw std::runtime_error(std::string("overlayfs can't be mounted here: ") + std::strerror(errno));
    }
    run(merged, script);
    EXPECT_EQ(::umount2(merged.c_str(), 0), 0);
    LayerWriter writer(store_, {Compression::gzip, 1, 1});
    layer::diff_to_layer(workspace.upper(), tree_, lower_, {k_clamp}, writer, {});
    return writer.commit();
  }

  WrittenLayer diff(WorkingTree& tree) {
    LayerWriter writer(store_, {Compression::gzip, 1, 1});
    tree.diff_to_layer(tree_, {k_clamp}, writer, {});
    return writer.commit();
  }

  WrittenLayer by_tree(WorkingTree& tree, const std::string& script) {
    tree.begin();
    run(tree.root(), script);
    return diff(tree);
  }

  static std::string listing(const stdfs::path& root) {
    const TempDir directory;
    const stdfs::path out = directory.path() / "out";
    const std::string command = "{ cd '" + root.string() +
                                "' && find . -mindepth 1 -printf '%P %y %m %U:%G %T@ %s %n %l\\n' | "
                                "sed -E '/ d [0-7]+ /s/ [0-9]+ [0-9]+ $//' && "
                                "find . -type f -exec sha256sum {} + && python3 -c '"
                                "import os\n"
                                "for d, ds, fs in os.walk(\".\"):\n"
                                "  for f in ds + fs:\n"
                                "    p = os.path.join(d, f)\n"
                                "    print(ascii(p), [(n, os.getxattr(p, n, follow_symlinks=False)) for n in "
                                "os.listxattr(p, follow_symlinks=False)])'; } | LC_ALL=C sort > '" +
                                out.string() + "'";
    EXPECT_EQ(std::system(command.c_str()), 0);
    return read_file(out);
  }

  MemoryStore store_;
  TempDir root_;
  TempDir mount_point_;
  Snapshots snapshots_{root_.path(), store_};
  std::map<oci::Digest, oci::Layer> layers_;
  std::vector<stdfs::path> lower_;
  FileTree tree_;
};

struct Case {
  const char* name;
  const char* script;
  bool exact = true;  // the tree can be used on
};

std::ostream& operator<<(std::ostream& out, const Case& value) {
  return out << value.name;
}

class SameLayer : public WorkingTreeTest, public ::testing::WithParamInterface<Case> {};

// The heart of it: the same command gives the same bytes in both ways, and what the tree is afterwards is what its
// layers give.
TEST_P(SameLayer, AsByOverlayfs) {
  const Case& param = GetParam();
  const WrittenLayer expected = by_overlay(param.script);
  if (HasFailure()) return;
  WorkingTree tree = make_tree();
  const WrittenLayer actual = by_tree(tree, param.script);
  EXPECT_EQ(describe(actual.index), describe(expected.index));
  EXPECT_EQ(actual.layer.diff_id, expected.layer.diff_id);
  EXPECT_EQ(actual.layer.blob, expected.layer.blob);
  EXPECT_EQ(tree.is_exact(), param.exact);

  push(actual);
  if (param.exact) {
    EXPECT_THAT(describe(by_tree(tree, "true").index), IsEmpty()) << "a second look finds a change";
    WorkingTree fresh = make_tree();
    EXPECT_EQ(listing(tree.root()), listing(fresh.root()));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Commands, SameLayer,
    ::testing::Values(
        Case{"nothing", "true"},
        Case{"create",
             "mkdir -m 700 usr/share/b; printf x > usr/share/b/new; chmod 600 usr/share/b/new; "
             "ln -s target usr/share/b/link; chown 5:6 usr/share/b/new"},
        Case{"overwrite", "printf HELLO > etc/motd"},
        Case{"overwrite_keeping_the_time", "printf HELLO > etc/motd; touch -d @1000 etc/motd"},
        Case{"truncate", ": > etc/motd"}, Case{"append", "printf more >> etc/motd"},
        Case{"chmod", "chmod 600 etc/motd; chmod 700 usr/share/a"},
        Case{"chmod_there_and_back",
             "chmod 600 etc/motd; chmod 644 etc/motd; chmod 700 usr/share/a; chmod 750 usr/share/a"},
        Case{"chown", "chown 7:8 etc/motd usr/share"}, Case{"chown_to_itself", "chown -R -h 0:0 etc tmp"},
        Case{"chown_of_a_link", "chown -h 3:4 bin"},
        Case{"chown_of_a_program_with_capabilities", "chown 1:1 usr/bin/ping"}, Case{"touch", "touch etc/motd"},
        Case{"times_only", "touch -d @5 etc/motd; touch -h -d @6 bin"},
        Case{"time_of_a_directory_only", "touch -d @5 etc"}, Case{"delete_a_file", "rm etc/motd"},
        Case{"delete_a_directory", "rm -r usr/share/a"}, Case{"delete_everything_below", "rm -r usr/share/*"},
        Case{"come_and_gone", "printf x > tmp/gone; rm tmp/gone; mkdir tmp/d; rmdir tmp/d"},
        Case{"delete_and_recreate_a_directory",
             "rm -r usr/share/a; mkdir -m 750 usr/share/a; printf 11 > usr/share/a/one; mkdir usr/share/a/sub; "
             "printf n > usr/share/a/three"},
        Case{"recreate_as_it_was",
             "rm -r usr/share/a/sub; mkdir usr/share/a/sub; printf d > usr/share/a/sub/deep; "
             "touch -d @1000 usr/share/a/sub/deep usr/share/a/sub"},
        Case{"rename_a_file", "mv etc/motd etc/issue"}, Case{"rename_over_a_file", "mv etc/motd etc/passwd"},
        Case{"rename_a_directory", "mv usr/share/a usr/share/b"},
        Case{"rename_a_directory_over_an_empty_one", "mkdir etc/a; mv -T usr/share/a etc/a"},
        Case{"move_a_directory_with_links", "mv usr/share/links opt"},
        Case{"rename_back", "mv usr/share/a usr/share/b; mv usr/share/b usr/share/a"},
        Case{"link_to_an_old_file", "ln etc/motd etc/zz; ln etc/motd tmp/aa"},
        Case{"link_to_an_old_file_before_it", "ln etc/passwd etc/aa"},
        Case{"new_links", "printf x > tmp/b; ln tmp/b tmp/a; ln tmp/b etc/c"},
        Case{"link_that_is_gone_again", "ln etc/motd etc/zz; rm etc/zz"},
        Case{"one_name_more", "ln usr/bin/perl usr/bin/perl6", false}, Case{"one_name_less", "rm usr/bin/perl"},
        Case{"rename_one_of_two_names", "mv usr/bin/perl5 usr/bin/perl6", false},
        Case{"replace_one_of_two_names", "printf other > usr/bin/p; mv usr/bin/p usr/bin/perl5"},
        Case{"chown_of_all_names", "chown 9:9 usr/bin/perl usr/bin/perl5", false},
        Case{"new_symlink_target", "ln -sfn usr/sbin bin"},
        Case{"same_symlink_target", "rm bin; ln -s usr/bin bin; touch -h -d @1000 bin"},
        Case{"directory_to_file", "rm -r usr/share/a; printf f > usr/share/a"},
        Case{"file_to_directory", "rm etc/motd; mkdir etc/motd; printf x > etc/motd/x"},
        Case{"link_to_directory", "rm bin; mkdir bin; printf x > bin/x"},
        Case{"directory_to_link", "rm -r usr/share/a; ln -s ../lib usr/share/a"},
        Case{"sparse_file", "truncate -s 5M tmp/sparse; printf x >> tmp/sparse"},
        Case{"set_user_id", "chmod 4755 etc/motd; cp -p usr/bin/sudo usr/bin/su; chmod 2755 usr/share/a"},
        Case{"capabilities", "cp --preserve=all usr/bin/ping usr/bin/ping2; mv usr/bin/ping usr/bin/ping3"},
        Case{"lost_capability", "printf more >> usr/bin/ping"},
        Case{"attributes",
             "python3 -c 'import os; os.setxattr(\"etc/motd\", \"user.new\", b\"1\"); os.removexattr(\"usr/bin/sudo\", "
             "\"user.note\")'"},
        Case{"attribute_there_and_back",
             "python3 -c 'import os; os.setxattr(\"etc/motd\", \"user.new\", b\"1\"); os.removexattr(\"etc/motd\", "
             "\"user.new\")'"},
        Case{"many_files", "mkdir opt; for i in $(seq 3000); do : > opt/f$i; done; rm opt/f1*"},
        Case{"many_directories",
             "for i in $(seq 60); do mkdir -p deep; mkdir -p opt/$i/a/b; printf $i > opt/$i/a/b/c; done"},
        Case{"unusual_names",
             "printf 1 > 'tmp/a b'; printf 2 > 'tmp/new\nline'; printf 3 > tmp/-rf; printf 4 > \"tmp/$(printf "
             "'\\377\\001')\"; "
             "printf 5 > tmp/.wh_no; mkdir 'tmp/a'; printf 6 > 'tmp/a/b'; printf 7 > tmp/a.b; printf 8 > tmp/a-b; "
             "printf 9 > \"tmp/$(printf 'n%.0s' $(seq 250))\""},
        Case{"fifo", "mkfifo -m 600 tmp/fifo; rm run/pipe"}, Case{"fifo_again", "rm run/pipe; mkfifo -m 640 run/pipe"},
        Case{"devices", "mknod tmp/c c 5 6; mknod tmp/b b 7 8; chmod 600 dev/null"},
        Case{"socket", "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"tmp/s\")'"},
        Case{"socket_in_the_place_of_a_file",
             "rm etc/motd; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"etc/motd\")'"},
        Case{"over_a_whiteout", "printf back > usr/share/a/two; printf x > usr/share/links/x"},
        Case{"remove_what_came_back", "rm -r gone"},
        Case{"swap", "mv etc/motd etc/t; mv etc/passwd etc/motd; mv etc/t etc/passwd"},
        Case{"in_place_edit", "sed -i s/root/toor/ etc/passwd"},
        Case{"read_only_use", "cat etc/motd usr/bin/* > /dev/null; find . > /dev/null; touch -a etc/motd"},
        Case{"mode_of_the_root", "chmod 700 .; touch -d @5 .; printf x > new"},
        Case{"copy_of_everything", "mkdir opt; cp -a etc usr opt"}),
    [](const auto& test) { return test.param.name; });

TEST_F(WorkingTreeTest, IsWhatTheLayersGive) {
  const WorkingTree tree = make_tree();
  const stdfs::path root = tree.root();
  struct stat perl {};
  struct stat perl5 {};
  ASSERT_EQ(::stat((root / "usr/bin/perl").c_str(), &perl), 0);
  ASSERT_EQ(::stat((root / "usr/bin/perl5").c_str(), &perl5), 0);
  EXPECT_EQ(perl.st_ino, perl5.st_ino);
  EXPECT_EQ(perl.st_nlink, 2U);
  EXPECT_EQ(perl.st_mtim.tv_sec, 1000);
  EXPECT_EQ(perl.st_mtim.tv_nsec, 0);
  // The name that the layer keeps the bytes under is whited out.
  EXPECT_FALSE(stdfs::exists(root / "usr/share/links/x"));
  struct stat y {};
  ASSERT_EQ(::stat((root / "usr/share/links/y").c_str(), &y), 0);
  EXPECT_EQ(y.st_nlink, 2U);
  EXPECT_EQ(read_file(root / "usr/share/links/z"), "linked");
  EXPECT_FALSE(stdfs::exists(root / "gone/file"));
  EXPECT_EQ(read_file(root / "gone/again"), "ga");
  EXPECT_FALSE(stdfs::exists(root / "usr/share/a/two"));
  struct stat sudo {};
  ASSERT_EQ(::stat((root / "usr/bin/sudo").c_str(), &sudo), 0);
  EXPECT_EQ(sudo.st_mode & 07777U, 04750U);
  EXPECT_EQ(sudo.st_uid, 12U);
  EXPECT_EQ(sudo.st_gid, 34U);
  struct stat directory {};
  ASSERT_EQ(::stat((root / "usr/share/a").c_str(), &directory), 0);
  EXPECT_EQ(directory.st_mode & 07777U, 0750U);
  EXPECT_EQ(directory.st_mtim.tv_sec, 1000);
  struct stat null {};
  ASSERT_EQ(::stat((root / "dev/null").c_str(), &null), 0);
  EXPECT_TRUE(S_ISCHR(null.st_mode));
  std::string value(64, '\0');
  ASSERT_EQ(::getxattr((root / "usr/bin/ping").c_str(), "security.capability", value.data(), value.size()), 20);
}

TEST_F(WorkingTreeTest, WritingToTheTreeLeavesTheLayersAlone) {
  const std::string before = listing(lower_.back());
  WorkingTree tree = make_tree();
  by_tree(tree, "for f in usr/bin/*; do printf changed > $f; done; chmod -R 777 usr");
  EXPECT_EQ(listing(lower_.back()), before);
}

// As three RUNs of one stage use one tree.
TEST_F(WorkingTreeTest, StepsFollowOneAnotherInOneTree) {
  WorkingTree tree = make_tree();
  const std::vector<std::string> scripts = {"printf 1 > etc/one; rm usr/share/a/new", "rm etc/one; printf 2 > etc/two",
                                            "mv etc/two etc/one; rm -r usr/share/links"};
  for (const std::string& script : scripts) {
    const WrittenLayer expected = by_overlay(script);
    ASSERT_FALSE(HasFailure());
    const WrittenLayer actual = by_tree(tree, script);
    EXPECT_EQ(actual.layer.blob, expected.layer.blob) << script;
    ASSERT_TRUE(tree.is_exact());
    push(actual);
  }
}

// A COPY between two RUNs, or a RUN that was in the cache: the tree takes in the layers without being made anew.
TEST_F(WorkingTreeTest, TakesInLayersThatComeOnTop) {
  const std::vector<std::string> scripts = {
      "true; printf x > etc/new; chmod 711 etc",
      "rm -r usr/share/a; mkdir usr/share/a; printf 1 > usr/share/a/one; ln usr/share/a/one usr/share/a/link",
      "rm -r usr/share/a; printf f > usr/share/a; rm etc/motd; mkdir -p etc/motd/d/e; printf y > etc/motd/d/e/f",
      "rm -r usr/share/links gone; ln -s nowhere gone; mkdir -p opt/a/b; printf z > opt/a/b/c; printf z > opt/z; ln "
      "opt/z opt/a/z",
      "python3 -c 'import os; os.setxattr(\"usr\", \"user.new\", b\"1\")'; chown 3:4 usr/bin; touch -d @77 tmp",
      "python3 -c 'import os; os.removexattr(\"usr\", \"user.new\")'; chown 0:0 usr/bin; rm usr/bin/perl; mv "
      "usr/bin/perl5 opt"};
  // One layer at a time, and all of them at once.
  const std::size_t layers = layers_.size();
  WorkingTree late = make_tree();
  WorkingTree tree = make_tree();
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    push(by_overlay(scripts[i]));
    if (HasFatalFailure()) return;
    tree.advance(tree_, layers + i, {});
    const WorkingTree fresh = make_tree();
    EXPECT_EQ(listing(tree.root()), listing(fresh.root())) << scripts[i];
  }
  late.advance(tree_, layers, {});
  EXPECT_EQ(listing(late.root()), listing(tree.root()));
  const std::string next = "rm -r opt/a; printf 1 >> etc/passwd; touch usr/share/zero";
  EXPECT_EQ(by_tree(tree, next).layer.blob, by_overlay(next).layer.blob);
}

// Layers of other builders: opaque directories, parents without an entry, links to names that are gone.
TEST_F(WorkingTreeTest, TakesInForeignLayers) {
  const std::vector<std::vector<RawMember>> tars = {
      {{"usr/share/a/.wh..wh..opq"}, {"usr/share/a/sub/other", '0', "o"}, {"new/deep/file", '0', "n"}},
      {{".wh.usr"}, {"usr/", '5'}, {"usr/only", '0', "u"}},
      {{"z", '0', "z"}, {"a", '1', "", "z"}, {"etc/y", '1', "", "z"}, {".wh.new"}},
      {{".wh.z"}, {"new/", '5'}}};
  const std::size_t layers = layers_.size();
  WorkingTree late = make_tree();
  WorkingTree tree = make_tree();
  for (std::size_t i = 0; i < tars.size(); ++i) {
    const oci::Layer layer = add_layer(store_, raw_tar(tars[i]));
    layers_.emplace(layer.diff_id, layer);
    lower_.insert(lower_.begin(), snapshots_.directory(layer, {}));
    tree_.apply(snapshots_.index(layer, {}), layer.diff_id);
    tree.advance(tree_, layers + i, {});
    const WorkingTree fresh = make_tree();
    EXPECT_EQ(listing(tree.root()), listing(fresh.root())) << "tar " << i;
  }
  late.advance(tree_, layers, {});
  EXPECT_EQ(listing(late.root()), listing(tree.root()));
}

// What overlayfs does not do: it gives the written name a file of its own.
TEST_F(WorkingTreeTest, AFileWithSeveralNamesIsWrittenUnderAllOfThem) {
  WorkingTree tree = make_tree();
  const WrittenLayer layer = by_tree(tree, "printf 5.40 > usr/bin/perl");
  EXPECT_THAT(describe(layer.index), ElementsAre("d 755 0:0 usr", "d 755 0:0 usr/bin", "f 755 0:0 4 usr/bin/perl",
                                                 "f 755 0:0 4 usr/bin/perl5"));
  EXPECT_FALSE(tree.is_exact());
}

TEST_F(WorkingTreeTest, NothingIsLeft) {
  {
    WorkingTree tree = make_tree();
    by_tree(tree, "mkdir -m 000 tmp/closed; printf x > etc/new");
    EXPECT_FALSE(stdfs::is_empty(root_.path() / "tmp"));
  }
  EXPECT_TRUE(stdfs::is_empty(root_.path() / "tmp"));
}

TEST_F(WorkingTreeTest, StopsWhenItIsAsked) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(WorkingTree(snapshots_.make_workspace(), tree_, directories(), stop.get_token()), Error);
  EXPECT_TRUE(stdfs::is_empty(root_.path() / "tmp"));
}

TEST_F(WorkingTreeTest, PartsAreMadeAtTheirOwnPlace) {
  const OverlayWorkspace directory = snapshots_.make_workspace();
  make_part(directory, tree_, "usr/share/a", this->directories(), {});
  EXPECT_EQ(read_file(directory.upper() / "usr/share/a/sub/deep"), "d");
  EXPECT_FALSE(stdfs::exists(directory.upper() / "usr/bin"));
  EXPECT_FALSE(stdfs::exists(directory.upper() / "etc"));
  const OverlayWorkspace file = snapshots_.make_workspace();
  make_part(file, tree_, "usr/bin/perl5", this->directories(), {});
  EXPECT_EQ(read_file(file.upper() / "usr/bin/perl5"), "perl");
  const OverlayWorkspace whole = snapshots_.make_workspace();
  make_part(whole, tree_, "", this->directories(), {});
  EXPECT_EQ(listing(whole.upper()), listing(make_tree().root()));
  EXPECT_THROW(make_part(file, tree_, "usr/none", this->directories(), {}), Error);
}

}  // namespace
}  // namespace tektii::layer
