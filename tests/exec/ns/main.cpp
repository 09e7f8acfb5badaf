#include "ns_fixture.hpp"
#include <tektii/exec/user_namespace.hpp>

#include <gtest/gtest.h>

#include <cstring>

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], tektii::exec::k_init_command) == 0) return tektii::exec::init_main(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  // Before any test: the process has to be single-threaded.
  if (!testing::GTEST_FLAG(list_tests)) tektii::exec::set_entered(tektii::exec::enter_build_namespace());
  return RUN_ALL_TESTS();
}
