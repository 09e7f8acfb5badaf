#include "diagnosis.hpp"
#include "namespace_entry.hpp"
#include <tektii/exec/user_namespace.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

namespace tektii::exec {

std::optional<Unavailable> enter_build_namespace() {
  const NamespaceFacts facts = gather_facts();
  if (auto obstacle = find_obstacle(facts)) return obstacle;
  // A user namespace can't be left again. So all of it, and what a run will need in it, is tried in a child first.
  const EntryResult rehearsal = rehearse(facts);
  if (!rehearsal.success()) return explain_failure(facts, rehearsal.what, rehearsal.error_number);
  const EntryResult entry = enter_namespaces(facts);
  if (entry.success()) return std::nullopt;
  const Unavailable reason = explain_failure(facts, entry.what, entry.error_number);
  Error error(ErrorKind::failure, "can't enter the namespaces of the build, though a trial did: " + reason.reason);
  for (const std::string& hint : reason.hints) error.add_hint(hint);
  throw error;
}

}  // namespace tektii::exec
