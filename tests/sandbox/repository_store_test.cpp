#include "sandbox/repository_store.hpp"

#include <tektii/util/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::sandbox {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(RepositoryName, FollowsTheGrammar) {
  for (const char* name : {"a", "a/b", "strat_1a/image", "a.b", "a__b", "a--b", "a---b/c", "0", "library/python"}) {
    EXPECT_TRUE(is_repository_name(name)) << name;
  }
  for (const char* name : {"", "A", "a/", "/a", "a//b", "a..b", "a___b", "_a", "a_", "a.-b", "..", "a/../b", "a b"}) {
    EXPECT_FALSE(is_repository_name(name)) << name;
  }
  EXPECT_FALSE(is_repository_name(std::string(256, 'a')));
}

TEST(Tag, FollowsTheGrammar) {
  for (const char* tag : {"latest", "1.0", "_x", "ver_0a", "A-b.C"}) EXPECT_TRUE(is_tag(tag)) << tag;
  for (const char* tag : {"", ".a", "-a", "a/b", "a:b", "a b"}) EXPECT_FALSE(is_tag(tag)) << tag;
  EXPECT_TRUE(is_tag(std::string(128, 'a')));
  EXPECT_FALSE(is_tag(std::string(129, 'a')));
}

class RepositoryStoreTest : public ::testing::Test {
 protected:
  TempDir directory_;
  RepositoryStore store_{directory_.path() / "repositories"};
  oci::Digest one_ = oci::Digest::of_bytes("1");
  oci::Digest two_ = oci::Digest::of_bytes("2");
};

TEST_F(RepositoryStoreTest, StartsEmpty) {
  EXPECT_FALSE(store_.exists("a"));
  EXPECT_FALSE(store_.has_blob("a", one_));
  EXPECT_FALSE(store_.manifest_type("a", one_));
  EXPECT_FALSE(store_.find_tag("a", "latest"));
  EXPECT_THAT(store_.tags("a"), IsEmpty());
  EXPECT_THAT(store_.names(), IsEmpty());
}

TEST_F(RepositoryStoreTest, RepositoriesAreApartAlsoWhenNested) {
  store_.link_blob("a", one_);
  store_.link_manifest("a/b", two_, "type/two");
  store_.link_manifest("a", two_, "type/other");
  EXPECT_TRUE(store_.has_blob("a", one_));
  EXPECT_FALSE(store_.has_blob("a/b", one_));
  EXPECT_EQ(store_.manifest_type("a/b", two_), "type/two");
  EXPECT_EQ(store_.manifest_type("a", two_), "type/other");
  EXPECT_THAT(store_.names(), ElementsAre("a", "a/b"));
}

TEST_F(RepositoryStoreTest, TagsMoveAndAreSorted) {
  store_.set_tag("a", "b", one_);
  store_.set_tag("a", "a", one_);
  store_.set_tag("a", "b", two_);
  EXPECT_EQ(store_.find_tag("a", "b"), two_);
  EXPECT_THAT(store_.tags("a"), ElementsAre("a", "b"));
}

}  // namespace
}  // namespace tektii::sandbox
