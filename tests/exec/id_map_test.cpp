#include <gtest/gtest.h>

#include <exec/linux/id_map.hpp>

namespace tektii::exec {
namespace {

TEST(FindSubordinateRange, TakesTheLargestRangeOfTheUser) {
  const char* file =
      "# comment\n"
      "alice:100000:65536\n"
      "bob:165536:10\n"
      "bob:200000:65536\n"
      "1003:300000:70000\n"
      "carol:x:1\n"
      "carol:1\n"
      "carol:5000000000:10\n"
      "carol:1:0\n";
  EXPECT_EQ(find_subordinate_range(file, "alice", 1001), (IdRange{100000, 65536}));
  EXPECT_EQ(find_subordinate_range(file, "bob", 1002), (IdRange{200000, 65536}));
  EXPECT_EQ(find_subordinate_range(file, "dave", 1003), (IdRange{300000, 70000}));
  EXPECT_EQ(find_subordinate_range(file, "carol", 1004), std::nullopt);
  EXPECT_EQ(find_subordinate_range(file, "nobody", 65534), std::nullopt);
  EXPECT_EQ(find_subordinate_range("", "alice", 1001), std::nullopt);
}

TEST(FirstFreeId, IsAboveEverybodysRange) {
  EXPECT_EQ(first_free_id(""), 100000U);
  EXPECT_EQ(first_free_id("alice:100000:65536\nbob:300000:65536\ncarol:x:1\n"), 365536U);
  EXPECT_EQ(first_free_id("alice:1000:10\n"), 100000U);
}

TEST(MappedIds, CountsFromZeroToTheFirstGap) {
  EXPECT_EQ(mapped_ids("         0          0 4294967295\n"), 4294967295U);
  EXPECT_EQ(mapped_ids("         0       1000          1\n         1     100000      65536\n"), 65537U);
  EXPECT_EQ(mapped_ids("1 100000 65536\n0 1000 1\n"), 65537U);
  EXPECT_EQ(mapped_ids("0 1000 1\n"), 1U);
  EXPECT_EQ(mapped_ids("0 1000 1\n5 100000 10\n"), 1U);
  EXPECT_EQ(mapped_ids("1000 1000 1\n"), 0U);
  EXPECT_EQ(mapped_ids(""), 0U);
}

}  // namespace
}  // namespace tektii::exec
