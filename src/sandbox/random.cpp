#include "sandbox/random.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/stream.hpp>

#include <fmt/format.h>

#include <vector>

namespace tektii::sandbox {

std::string random_hex(std::size_t bytes) {
  std::vector<std::byte> data(bytes);
  if (read_full(*open_source("/dev/urandom"), data) != bytes) {
    throw Error(ErrorKind::failure, "/dev/urandom gave too few bytes");
  }
  std::string hex;
  for (const std::byte byte : data) hex += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return hex;
}

std::string random_id(std::string_view prefix) {
  constexpr std::size_t k_bytes = 6;
  return fmt::format("{}_{}", prefix, random_hex(k_bytes));
}

}  // namespace tektii::sandbox
