// The entry of libFuzzer; TEKTII_FUZZ_CHECK names the target's function.
#include "fuzz/targets.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tektii::fuzz::TEKTII_FUZZ_CHECK({reinterpret_cast<const char*>(data), size});
  return 0;
}
