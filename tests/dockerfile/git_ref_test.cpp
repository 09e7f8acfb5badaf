#include <tektii/dockerfile/git_ref.hpp>
#include <tektii/util/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::dockerfile {
namespace {

using ::testing::HasSubstr;

const std::string k_commit = "0123456789abcdef0123456789abcdef01234567";

GitRef reference(std::string remote, std::string ref = {}, std::string subdir = {}) {
  GitRef result;
  result.remote = std::move(remote);
  result.ref = std::move(ref);
  result.subdir = std::move(subdir);
  return result;
}

GitRef with(GitRef base, const std::function<void(GitRef&)>& change) {
  change(base);
  return base;
}

struct Row {
  std::string text;
  GitRef expected;
};

TEST(GitRef, EveryForm) {
  const std::string url = "https://forge.example/team/tool.git";
  const std::vector<Row> rows = {
      {url, reference(url)},
      {"HTTPS://forge.example/a.git", reference("https://forge.example/a.git")},
      {"http://127.0.0.1:8080/a.git", reference("http://127.0.0.1:8080/a.git")},
      {"https://me:pass@forge.example/a.git", reference("https://me:pass@forge.example/a.git")},
      {"https://[::1]:80/a.git", reference("https://[::1]:80/a.git")},
      {"git://forge.example/no-suffix", reference("git://forge.example/no-suffix")},
      {"ssh://git@forge.example:2222/a/b", reference("ssh://git@forge.example:2222/a/b")},
      {"git@forge.example:a/b.git", reference("git@forge.example:a/b.git")},
      {"other_user-1@10.0.0.1:/srv/x", reference("other_user-1@10.0.0.1:/srv/x")},
      {"git@forge.example:a:b.git", reference("git@forge.example:a:b.git")},
      {url + "#v1.2", reference(url, "v1.2")},
      {url + "#feature/x", reference(url, "feature/x")},
      {url + "#feature%2Fx", reference(url, "feature/x")},
      {url + "#v1:sub/dir", reference(url, "v1", "sub/dir")},
      {url + "#:sub", reference(url, "", "sub")},
      {url + "#v1:", reference(url, "v1")},
      {url + "#v1:/a//./b/", reference(url, "v1", "a/b")},
      {url + "#", reference(url)},
      {url + "?", reference(url)},
      {url + "#" + k_commit, reference(url, k_commit)},
      {"git@forge.example:a.git#v1:sub", reference("git@forge.example:a.git", "v1", "sub")},
      {"git@forge.example:a.git?subdir=/x#v1", reference("git@forge.example:a.git", "v1", "x")},
      {url + "?ref=v1", reference(url, "v1")},
      {url + "?ref=v1#v1", reference(url, "v1")},
      {url + "?tag=v1", reference(url, "refs/tags/v1")},
      {url + "?tag=refs/tags/v1", reference(url, "refs/tags/v1")},
      {url + "?branch=main", reference(url, "refs/heads/main")},
      {url + "?branch=main#refs/heads/main", reference(url, "refs/heads/main")},
      {url + "?subdir=a/b", reference(url, "", "a/b")},
      {url + "?subdir=a%2Fb", reference(url, "", "a/b")},
      {url + "?subdir=a+b", reference(url, "", "a b")},
      {url + "?subdir=a#:/a", reference(url, "", "a")},
      {url + "?checksum=ABCDEF1", with(reference(url), [](GitRef& r) { r.checksum = "abcdef1"; })},
      {url + "?commit=abc", with(reference(url), [](GitRef& r) { r.checksum = "abc"; })},
      {url + "?commit=abc&checksum=abc", with(reference(url), [](GitRef& r) { r.checksum = "abc"; })},
      {url + "?keep-git-dir", with(reference(url), [](GitRef& r) { r.keep_git_dir = true; })},
      {url + "?keep-git-dir=", with(reference(url), [](GitRef& r) { r.keep_git_dir = true; })},
      {url + "?keep-git-dir=0", with(reference(url), [](GitRef& r) { r.keep_git_dir = false; })},
      {url + "?submodules=false", with(reference(url), [](GitRef& r) { r.submodules = false; })},
      {url + "?submodules", reference(url)},
      {url + "?mtime=commit", with(reference(url), [](GitRef& r) { r.commit_times = true; })},
      {url + "?mtime=checkout", reference(url)},
      {url + "?fetch-by-commit=false", reference(url)},
      {url + "?fetch-by-commit&commit=" + k_commit + "#v1", with(reference(url, "v1"),
                                                                 [](GitRef& r) {
                                                                   r.checksum = k_commit;
                                                                   r.fetch_by_commit = true;
                                                                 })},
      {url + "?ref=v1&subdir=/s&keep-git-dir=true",
       with(reference(url, "v1", "s"), [](GitRef& r) { r.keep_git_dir = true; })},
      {url + "?checksum=0123456#" + k_commit,
       with(reference(url, k_commit), [](GitRef& r) { r.checksum = "0123456"; })},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.text);
    for (const bool is_context : {false, true}) EXPECT_EQ(parse_git_ref(row.text, is_context), row.expected);
  }
}

TEST(GitRef, BareGithubIsForContextsAlone) {
  EXPECT_EQ(parse_git_ref("github.com/team/tool"), std::nullopt);
  EXPECT_EQ(parse_git_ref("github.com/team/tool", true), reference("https://github.com/team/tool"));
  EXPECT_EQ(parse_git_ref("github.com/team/tool.git?branch=b#:s", true),
            reference("https://github.com/team/tool.git", "refs/heads/b", "s"));
}

TEST(GitRef, OtherTextsAreNone) {
  for (const auto* text : {"",
                           ".",
                           "a",
                           ".git",
                           "./.git",
                           "../x@y:z",
                           "a/b.git",
                           "forge.example/a.git",
                           "https://forge.example/",
                           "https://forge.example/a",
                           "https://forge.example/a.git/",
                           "https://forge.example/a.git.tar",
                           "https://forge.example/a?x=.git",
                           "https://forge.example/a#x.git",
                           "http://forge.example/a.git:#b",
                           "ftp://forge.example/a.git",
                           "file:///a.git",
                           "git+ssh://git@h/a.git",
                           "docker-image://a",
                           "@host:path",
                           "git@host",
                           "git@host/path:x",
                           "us er@host:path",
                           "git@ho_st:path",
                           "a.b@host:path",
                           "gitlab.com/a/b.git"}) {
    SCOPED_TRACE(text);
    EXPECT_EQ(parse_git_ref(text, true), std::nullopt);
  }
}

struct BadRow {
  std::string text;
  std::string message;
};

TEST(GitRef, Malformed) {
  const std::string url = "https://forge.example/tool.git";
  const std::vector<BadRow> rows = {
      {url + "?token=1", "unexpected query \"token\""},
      {url + "?ref", "query \"ref\" has no value"},
      {url + "?ref=", "query \"ref\" has no value"},
      {url + "?ref=a&ref=a", "query \"ref\" has multiple values"},
      {url + "?ref=a#b", "ref conflicts: \"b\" vs \"a\""},
      {url + "?ref=a&tag=b", "ref conflicts: \"a\" vs \"refs/tags/b\""},
      {url + "?branch=b#c", "ref conflicts: \"c\" vs \"refs/heads/b\""},
      {url + "?branch=b&tag=b", "branch conflicts with tag"},
      {url + "?subdir=a#:b", "subdir conflicts: \"b\" vs \"a\""},
      {url + "?subdir=a/../../b", "leaves the repository"},
      {url + "#v1:../b", "leaves the repository"},
      {url + "?checksum=xyz", "invalid checksum \"xyz\""},
      {url + "?checksum=abc&commit=abd", "checksum conflicts"},
      {url + "?checksum=abc#" + k_commit, "expected checksum to match abc, got " + k_commit},
      {url + "?keep-git-dir=maybe", "invalid keep-git-dir value: \"maybe\""},
      {url + "?submodules=2", "invalid submodules value: \"2\""},
      {url + "?mtime=now", "invalid mtime value: \"now\""},
      {url + "?fetch-by-commit=yes", "invalid fetch-by-commit value: \"yes\""},
      {url + "?fetch-by-commit&checksum=abc", "requires a full commit id"},
      {url + "?ref=%zz", "broken %-escape"},
      {url + "#-x", "can't be the name"},
      {url + "#a..b", "can't be the name"},
      {url + "#a b", "can't be the name"},
      {url + "?ref=a:b", "can't be the name"},
      {url + "#a*", "can't be the name"},
      {"-x@host:a", "may not begin with '-'"},
      {"git@-oProxyCommand:a", "may not begin with '-'"},
      {"ssh://-oProxyCommand=x/a", "may not begin with '-'"},
      {"https:///a.git", "the URL has no host"},
      {"ssh://host", "the URL has no path"},
      {"git://host/a\nb", "control characters"},
      {"https://host/a b.git", "a blank"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.text);
    try {
      parse_git_ref(row.text, true);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_THAT(error.message(), HasSubstr(row.message));
    }
  }
}

TEST(GitRef, AWrongKeyIsCorrected) {
  try {
    parse_git_ref("https://forge.example/a.git?submodule=0");
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    ASSERT_FALSE(error.hints().empty());
    EXPECT_EQ(error.hints().front(), "did you mean submodules?");
  }
}

}  // namespace
}  // namespace tektii::dockerfile
