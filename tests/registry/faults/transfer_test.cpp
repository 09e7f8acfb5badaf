#include "registry/faults/fault_fixture.hpp"

namespace tektii::registry {
namespace {

TEST_F(FaultTable, Row01_TruncatedPullGoesOnByRange) {
  const std::string content = big_content();
  server->store().add_blob("app", content);
  server->on({"GET", "/blobs/"}, Fault{.cut_answer_after = 100000});
  EXPECT_TRUE(fetch(content) == content);
  const auto requests = server->requests("GET", "/blobs/");
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[1].header("Range"), "bytes=100000-");
}

}  // namespace
}  // namespace tektii::registry
