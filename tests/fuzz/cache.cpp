#include "builder/cache_document.hpp"
#include "fuzz/require.hpp"
#include "fuzz/targets.hpp"

namespace tektii::fuzz {
namespace {

// A cache comes from another machine: what is wrong with it is a failure, and no misuse.
template <typename Call>
void may_fail(Call call) {
  try {
    call();
  } catch (const Error& error) {
    require(error.kind() == ErrorKind::failure, "a bad cache is a failure");
  }
}

}  // namespace

void check_cache(std::string_view input) {
  may_fail([&] {
    const auto text = builder::write_cache_document(builder::read_cache_document(input));
    require(builder::write_cache_document(builder::read_cache_document(text)) == text, "records survive being written");
  });
  may_fail([&] { builder::write_cache_document(builder::read_inline_cache(input)); });
}

}  // namespace tektii::fuzz
