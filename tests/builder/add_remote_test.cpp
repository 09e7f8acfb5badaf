#include "builder/copy_fixture.hpp"
#include "builder/remote_source.hpp"

#include <gmock/gmock.h>

namespace tektii::builder {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class AddRemoteTest : public CopyTest {
 protected:
  AddRemoteTest() {
    fake_remote_.files["https://host/dir/tool-1.0?x=y"] = {"tool", 1000};
    fake_remote_.files["https://host/t.tar"] = {make_tar({{"f", '0', "in tar"}}), std::nullopt};
    fake_remote_.tree = directory_.path() / "tree";
    make_directories(fake_remote_.tree / "sub");
    write_file_atomic(fake_remote_.tree / "sub/run.sh", "#!/bin/sh\n", 0700);
    write_file_atomic(fake_remote_.tree / "README", "read me", 0600);
  }
};

TEST_F(AddRemoteTest, UrlBecomesAFileNamedByItsPath) {
  const auto result = build("FROM scratch\nADD https://host/dir/tool-1.0?x=y /bin/\n");
  EXPECT_EQ(at(result, "bin/tool-1.0"), "f 600 0:0");
  EXPECT_EQ(text_of(result, "bin/tool-1.0"), "tool");
  EXPECT_EQ(tree_of(result).find("bin/tool-1.0")->metadata.mtime, 1000);
}

TEST_F(AddRemoteTest, UrlTakesANameOwnerAndMode) {
  const auto result = build("FROM scratch\nADD --chown=5 --chmod=755 https://host/dir/tool-1.0?x=y /bin/tool\n");
  EXPECT_EQ(at(result, "bin/tool"), "f 755 5:5");
}

TEST_F(AddRemoteTest, LaterTimesOfAServerAreClamped) {
  fake_remote_.files["https://host/new"] = {"x", 1900000000};
  const auto tree = tree_of(build("FROM scratch\nADD https://host/new /\n"));
  EXPECT_EQ(tree.find("new")->metadata.mtime, request_.source_date_epoch);
}

TEST_F(AddRemoteTest, AChecksumLeavesTheServerNoSayAboutTheTime) {
  const auto dockerfile = fmt::format("FROM scratch\nADD --checksum={} https://host/dir/tool-1.0?x=y /o/tool\n",
                                      oci::Digest::of_bytes("tool").str());
  request_.no_cache = true;
  const auto first = build(dockerfile);
  EXPECT_EQ(tree_of(first).find("o/tool")->metadata.mtime, request_.source_date_epoch);
  fake_remote_.files["https://host/dir/tool-1.0?x=y"].second.reset();
  EXPECT_EQ(build(dockerfile).image.layers.back().blob.digest, first.image.layers.back().blob.digest);
}

TEST_F(AddRemoteTest, ATimeThatTheServerChangedIsAnotherLayer) {
  const std::string dockerfile = "FROM scratch\nADD https://host/dir/tool-1.0?x=y /o/tool\n";
  build(dockerfile);
  fake_remote_.files["https://host/dir/tool-1.0?x=y"].second = 500;
  EXPECT_EQ(tree_of(build(dockerfile)).find("o/tool")->metadata.mtime, 500);
}

TEST_F(AddRemoteTest, UrlsAreUnpackedOnlyWhenAsked) {
  const auto result = build("FROM scratch\nADD https://host/t.tar /a/\nADD --unpack=true https://host/t.tar /b/\n");
  EXPECT_EQ(at(result, "a/t.tar"), "f 600 0:0");
  EXPECT_EQ(text_of(result, "b/f"), "in tar");
}

TEST_F(AddRemoteTest, RemoteAndLocalSourcesMix) {
  write("local", "l");
  write("local.tar", make_tar({{"g", '0', "local tar"}}));
  const auto result =
      build("FROM scratch\nADD local local.tar https://host/t.tar https://git.host/a.git <<EOF /o/\ntext\nEOF\n");
  EXPECT_EQ(text_of(result, "o/local"), "l");
  EXPECT_EQ(text_of(result, "o/g"), "local tar");
  EXPECT_EQ(at(result, "o/t.tar"), "f 600 0:0");
  EXPECT_EQ(text_of(result, "o/README"), "read me");
  EXPECT_EQ(text_of(result, "o/EOF"), "text\n");
}

TEST_F(AddRemoteTest, ChangedFileIsAddedAgainAndTheSameIsNot) {
  const std::string dockerfile = "FROM scratch\nADD https://host/t.tar /o/\n";
  build(dockerfile);
  build(dockerfile);
  EXPECT_EQ(outcome("[stage-0 1/1] ADD https://host/t.tar /o/"), StepOutcome::cached);
  fake_remote_.files["https://host/t.tar"].first = "changed";
  EXPECT_EQ(text_of(build(dockerfile), "o/t.tar"), "changed");
}

TEST_F(AddRemoteTest, KnownChecksumNeedsNoRequest) {
  const auto digest = oci::Digest::of_bytes("tool").str();
  const auto dockerfile = fmt::format("FROM scratch\nADD --checksum={} https://host/dir/tool-1.0?x=y /o/\n", digest);
  build(dockerfile);
  ASSERT_THAT(fake_remote_.requests, SizeIs(1));
  EXPECT_EQ(fake_remote_.requests[0].checksum->str(), digest);
  build(dockerfile);
  EXPECT_THAT(fake_remote_.requests, SizeIs(1));
}

TEST_F(AddRemoteTest, GitTreeHasModesOfItsOwn) {
  const auto result = build("FROM scratch\nADD --keep-git-dir=true https://git.host/a.git#v1 /src\n");
  EXPECT_EQ(at(result, "src"), "d 755 0:0");
  EXPECT_EQ(at(result, "src/README"), "f 644 0:0");
  EXPECT_EQ(at(result, "src/sub/run.sh"), "f 755 0:0");
  EXPECT_EQ(tree_of(result).find("src/README")->metadata.mtime, request_.source_date_epoch);
  ASSERT_FALSE(fake_remote_.references.empty());
  EXPECT_EQ(fake_remote_.references[0].ref, "v1");
  EXPECT_EQ(fake_remote_.references[0].keep_git_dir, true);
}

TEST_F(AddRemoteTest, GitTreeIsKnownByItsCommit) {
  const std::string dockerfile = "FROM scratch\nADD git@git.host:a.git#main /src\n";
  build(dockerfile);
  build(dockerfile);
  EXPECT_EQ(outcome("[stage-0 1/1] ADD git@git.host:a.git#main /src"), StepOutcome::cached);
  fake_remote_.commit = std::string(40, 'b');
  build(dockerfile);
  EXPECT_EQ(outcome("[stage-0 1/1] ADD git@git.host:a.git#main /src"), StepOutcome::done);
}

TEST_F(AddRemoteTest, WholeCommitNeedsNoRequestWhenCached) {
  const auto dockerfile =
      fmt::format("FROM scratch\nADD --checksum={} https://git.host/a.git /src\n", fake_remote_.commit);
  build(dockerfile);
  const auto requests = fake_remote_.references.size();
  EXPECT_EQ(fake_remote_.references.at(0).checksum, fake_remote_.commit);
  build(dockerfile);
  EXPECT_EQ(fake_remote_.references.size(), requests);
}

struct Refused {
  const char* line;
  const char* message;
  const char* under;  // the caret
};

TEST_F(AddRemoteTest, MistakesAreFoundBeforeAnyRequest) {
  write("f", "x");
  const std::vector<Refused> table = {
      {"COPY https://host/t.tar /", "the source of COPY can't be a URL", "https://host/t.tar"},
      {"COPY git@host:a.git /", "the source of COPY can't be a git reference", "git@host:a.git"},
      {"ADD --checksum=sha256:abc https://host/t.tar /", "invalid checksum sha256:abc", "sha256:abc"},
      {"ADD --checksum=xyz https://host/a.git /", "invalid checksum xyz for a git source", "https://host/a.git"},
      {"ADD --checksum=abcdef1 f /", "checksum requires HTTP(S) or Git sources", "abcdef1"},
      {"ADD --checksum=abcdef1 https://host/a.git?checksum=1234567 /", "checksum mismatch",
       "https://host/a.git?checksum=1234567"},
      {"ADD --keep-git-dir https://host/a.git?keep-git-dir=0 /", "inconsistent keep-git-dir",
       "https://host/a.git?keep-git-dir=0"},
      {"ADD https://host/t.tar nothing /", "nothing not found in the build context", "nothing"},
      {"ADD --chmod=9999 https://host/t.tar /", "invalid chmod parameter", "9999"},
  };
  for (const auto& row : table) {
    const auto error = build_error(fmt::format("FROM python:3.11\n{}\n", row.line));
    EXPECT_EQ(error.kind(), ErrorKind::usage) << row.line;
    EXPECT_THAT(error.what(), HasSubstr(row.message)) << row.line;
    ASSERT_TRUE(error.span()) << row.line;
    EXPECT_EQ(error.span()->text.substr(static_cast<std::size_t>(error.span()->column - 1),
                                        static_cast<std::size_t>(error.span()->length)),
              row.under)
        << row.line;
  }
  EXPECT_TRUE(opened_.empty());
  EXPECT_TRUE(fake_remote_.requests.empty());
  EXPECT_TRUE(fake_remote_.references.empty());
}

TEST_F(AddRemoteTest, WithoutRemoteSourcesThatIsSaid) {
  remote_ = nullptr;
  EXPECT_THAT(build_error("FROM scratch\nADD https://host/t.tar /\n").what(), HasSubstr("can't be fetched here"));
}

TEST(FileNameOfUrl, IsTheLastPartOfThePath) {
  const std::vector<std::pair<const char*, const char*>> table = {
      {"https://host/a/b.txt", "b.txt"},    {"https://host/a/b.txt?x=/y#z/w", "b.txt"},
      {"https://host/a/b/", "b"},           {"https://host", "__unnamed__"},
      {"https://host/", "__unnamed__"},     {"https://host?x=/f", "__unnamed__"},
      {"https://host/a%20b", "a b"},        {"https://host/a%2Fb", "b"},
      {"https://host/a%zz", "__unnamed__"}, {"https://host/a/..", "__unnamed__"},
  };
  for (const auto& [url, name] : table) EXPECT_EQ(file_name_of_url(url), name) << url;
}

TEST(WithoutCredentials, TakesUserAndPasswordOut) {
  EXPECT_EQ(without_credentials("https://u:p@host:1/a@b?c"), "https://host:1/a@b?c");
  EXPECT_EQ(without_credentials("https://host/a@b"), "https://host/a@b");
  EXPECT_EQ(without_credentials("git@host:a.git"), "git@host:a.git");
}

}  // namespace
}  // namespace tektii::builder
