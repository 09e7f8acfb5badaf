#include "fetch/git_url.hpp"

#include <tektii/util/error.hpp>

#include <gtest/gtest.h>

namespace tektii::fetch {
namespace {

TEST(GitUrl, WhatGitMayBeGiven) {
  for (const auto* remote : {"https://h/a.git", "http://h/a", "ssh://git@h/a", "git://h/a", "git@h:a", "u@h:/a/b"}) {
    EXPECT_TRUE(is_allowed_remote(remote, false)) << remote;
  }
  for (const auto* remote :
       {"file:///a", "/a", "a", "../a", "ext::sh -c x", "-uhttps://h", "--upload-pack=x", "https://",
        "ssh://-oProxyCommand=x/a", "git@-o:a", "fd::1", "a@h::b", "x/a@b:c", "h:a", "https://h/a\nb"}) {
    EXPECT_FALSE(is_allowed_remote(remote, false)) << remote;
  }
  EXPECT_TRUE(is_allowed_remote("file:///a", true));
}

TEST(GitUrl, CredentialsAreTakenOut) {
  EXPECT_EQ(without_credentials("https://me:pw@h/a.git"), "https://h/a.git");
  EXPECT_EQ(without_credentials("https://token@h:1/a"), "https://h:1/a");
  EXPECT_EQ(without_credentials("https://h/a@b"), "https://h/a@b");
  EXPECT_EQ(without_credentials("ssh://git:pw@h/a"), "ssh://git@h/a");
  EXPECT_EQ(without_credentials("git@h:a"), "git@h:a");
  EXPECT_EQ(redact_remote("fatal: 'https://me:pw@h/a' and me:pw@x", "https://me:pw@h/a"), "fatal: 'https://h/a' and x");
}

TEST(GitUrl, SubmodulesAreRelativeToTheirParent) {
  struct Row {
    const char* parent;
    const char* url;
    const char* expected;
  };
  for (const auto& row :
       {Row{"https://h/team/a.git", "../b.git", "https://h/team/b.git"},
        Row{"https://h/team/a.git/", "../b", "https://h/team/b"}, Row{"https://h/team/a", "../../x/b", "https://h/x/b"},
        Row{"https://h/team/a", "./b", "https://h/team/a/b"}, Row{"git@h:team/a.git", "../b.git", "git@h:team/b.git"},
        Row{"git@h:a.git", "../b.git", "git@h:b.git"}, Row{"ssh://git@h:22/t/a", "../b", "ssh://git@h:22/t/b"},
        Row{"https://h/a", "https://other/b", "https://other/b"}}) {
    EXPECT_EQ(resolve_submodule_url(row.parent, row.url), row.expected) << row.parent << " " << row.url;
  }
  EXPECT_THROW(resolve_submodule_url("https://h/a", "../../../b"), Error);
  EXPECT_THROW(resolve_submodule_url("git@h:a", "../../b"), Error);
}

TEST(GitUrl, ScopeOfCredentials) {
  EXPECT_EQ(http_scope("https://me:pw@h:8443/a.git"), "https://h:8443/");
  EXPECT_EQ(http_scope("git@h:a"), "");
}

}  // namespace
}  // namespace tektii::fetch
