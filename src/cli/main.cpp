#include <tektii/cli/app.hpp>
#include <tektii/exec/user_namespace.hpp>

#include <cstring>

int main(int argc, char** argv) {
  // The init of a RUN is this program started again; it must stay single-threaded, so it branches off before anything.
  if (argc > 1 && std::strcmp(argv[1], tektii::exec::k_init_command) == 0) {
    return tektii::exec::init_main(argc, argv);
  }
  return tektii::cli::run_app(argc, argv);
}
