#include "layer/slot_mark.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <string>

namespace tektii::layer {

namespace {

constexpr const char* k_mark = "boot";
constexpr std::size_t k_longest_id = 200;

// random(4): "a random string generated once per boot".
const std::string& boot_id() {
  static const std::string id(trim(read_file("/proc/sys/kernel/random/boot_id", k_longest_id)));
  return id;
}

}  // namespace

void sign_slot(const std::filesystem::path& slot) {
  write_file_atomic(slot / k_mark, boot_id() + "\n");
}

bool is_sound_slot(const std::filesystem::path& slot) {
  std::error_code missing;
  if (!std::filesystem::exists(slot / k_mark, missing)) return false;
  try {
    return trim(read_file(slot / k_mark, k_longest_id)) == boot_id();
  } catch (const Error&) {
    return false;  // damaged, or removed meanwhile
  }
}

}  // namespace tektii::layer
