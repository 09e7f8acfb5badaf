#include "check_run.hpp"

#include "run_mount.hpp"
#include <tektii/dockerfile/mount.hpp>
#include <tektii/dockerfile/values.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tektii::builder {
namespace {

using dockerfile::Instruction;
using dockerfile::MountFlag;

class Checker {
 public:
  Checker(const RunCheck& check, const Instruction& instruction, const dockerfile::Run& run, Problems& problems)
      : check_(check), instruction_(instruction), run_(run), problems_(problems) {}

  void check() {
    exec::RunSpec spec;
    int ssh_mounts = 0;
    for (const auto& flag : run_.mounts) {
      collect(mount_span(check_.plan.file, instruction_, flag), [&] { check_mount(flag, ssh_mounts, spec); });
    }
    collect(span_of("--security"), [&] { check_security(spec); });
    collect(span_of("--network"), [&] { check_network(spec); });
    collect(span_of("<<"), [&] { check_script(); });
    collect(span_of(""), [&] { check_executor(spec); });
  }

 private:
  SourceSpan span_of(std::string_view word) const { return check_.plan.file.span(instruction_.lines, word); }

  template <typename Part>
  void collect(const SourceSpan& span, const Part& part) {
    try {
      part();
    } catch (Error& error) {
      if (!error.span()) error.set_span(span);
      problems_.add(error);
    }
  }

  // Variables that the base image may bring are not known yet: then the step itself checks what depends on them.
  bool is_known(const MountFlag& flag) const {
    const auto known = [&](const std::string& value) {
      return expand_if_known(check_.plan.file, instruction_, value, check_.variables).has_value();
    };
    return known(flag.type) && std::all_of(flag.options.begin(), flag.options.end(), [&](const auto& option) {
             return option.first == "from" || known(option.second);
           });
  }

  void check_mount(const MountFlag& flag, int& ssh_mounts, exec::RunSpec& spec) {
    if (!is_known(flag)) return;
    const auto expanded =
        dockerfile::expand_mount(flag, check_.variables.lookup(), {.escape = check_.plan.file.directives.escape});
    // The working directory may come from the base image. Any that is not "/" stands in for it, so that an error is one
    // whatever it is.
    const auto mount = to_run_mount(expanded, "/unknown", ssh_mounts);
    // Whatever it will be: the executor looks at the owner.
    spec.mounts.push_back(
        {mount.target, exec::SecretSource{{}, 0400, mount.uid.value_or(0), mount.gid.value_or(0)}, true});
    switch (mount.kind) {
      case RunMount::Kind::secret:
        check_secret(mount);
        break;
      case RunMount::Kind::ssh:
        ++ssh_mounts;
        check_agent(mount);
        break;
      case RunMount::Kind::bind:
        check_source(mount);
        break;
      case RunMount::Kind::cache:
        if (mount.from) check_source(mount);
        break;
      case RunMount::Kind::tmpfs:
        break;
    }
  }

  void check_source(const RunMount& mount) const {
    if (!mount.from || names_directory(*mount.from)) check_.require_source(mount.from, mount.source);
  }

  bool names_directory(const std::string& from) const {
    try {
      return resolve_from(check_.plan, check_.request, check_.stage, from).kind == SourceName::Kind::directory;
    } catch (const Error&) {
      return false;  // the plan reports a name that means nothing when it looks for the stages that are needed
    }
  }

  void check_secret(const RunMount& mount) const {
    if (!mount.required || check_.request.secrets.contains(mount.id)) return;
    throw Error(ErrorKind::usage, fmt::format("secret {}: not found", mount.id))
        .add_hint(fmt::format("add --secret id={},src=FILE or --secret id={},env=NAME", mount.id, mount.id));
  }

  void check_agent(const RunMount& mount) const {
    if (!mount.required || check_.request.ssh_agents.contains(mount.id)) return;
    throw Error(ErrorKind::usage, fmt::format("no SSH key {} forwarded from the client", mount.id))
        .add_hint(fmt::format("add --ssh {}", mount.id));
  }

  void require_entitlement(const char* entitlement) const {
    if (check_.request.entitlements.contains(entitlement)) return;
    throw Error(ErrorKind::usage, fmt::format("{} is not allowed", entitlement))
        .add_hint(fmt::format("if you trust this Dockerfile, add --allow {}", entitlement));
  }

  void check_security(exec::RunSpec& spec) const {
    if (run_.security.value_or("sandbox") == "sandbox") return;
    spec.security = exec::SecurityMode::insecure;
    require_entitlement("security.insecure");
  }

  void check_network(exec::RunSpec& spec) const {
    if (run_.network.value_or("default") == "host") require_entitlement("network.host");
    if (run_network(run_, check_.request) == "none") spec.network = exec::NetworkMode::none;
  }

  void check_script() const {
    if (run_.command.exec_form) return;
    const auto script = dockerfile::shell_script(run_.command).file;
    if (!script || script->name.find('/') == std::string::npos) return;
    throw Error(ErrorKind::usage, fmt::format("a script can't be called {}: its name has a slash", script->name));
  }

  void check_executor(const exec::RunSpec& spec) const {
    const auto unavailable = check_.deps.executor.unavailable_reason(spec);
    if (!unavailable) return;
    Error error(ErrorKind::failure, fmt::format("RUN is not possible here: {}", unavailable->reason));
    for (const auto& hint : unavailable->hints) error.add_hint(hint);
    throw error;
  }

  const RunCheck& check_;
  const Instruction& instruction_;
  const dockerfile::Run& run_;
  Problems& problems_;
};

}  // namespace

std::string run_network(const dockerfile::Run& run, const BuildRequest& request) {
  const auto network = run.network.value_or("default");
  return network == "default" ? request.default_network : network;
}

SourceSpan mount_span(const dockerfile::Dockerfile& file, const Instruction& instruction, const MountFlag& mount) {
  for (const char* key : {"from", "source", "src", "id", "target", "dst", "destination", "env"}) {
    for (const auto& [name, value] : mount.options) {
      if (name == key && !value.empty()) return file.span(instruction.lines, fmt::format("{}", value));
    }
  }
  return file.span(instruction.lines, "--mount");
}

void check_run(const RunCheck& check, const Instruction& instruction, const dockerfile::Run& run, Problems& problems) {
  Checker(check, instruction, run, problems).check();
}

}  // namespace tektii::builder
