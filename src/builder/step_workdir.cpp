#include "accounts.hpp"
#include "stage_builder.hpp"
#include <tektii/dockerfile/history.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

namespace tektii::builder {

// WORKDIR makes the directory and its missing parents as the current USER, 0755; what exists stays as it is, and "/"
// makes none. Without a path (a variable that is empty) it stays where it is.
void StageBuilder::apply_body(const Instruction& instruction, const dockerfile::Workdir& workdir) {
  auto& config = state_->config.config;
  const auto path = absolute(expanded(instruction, workdir.path));
  config.working_dir = path;
  const auto key = KeyBuilder("workdir/2")
                       .field("layers", state_->stack.chain_key())
                       .field("path", path)
                       .field("user", config.user)
                       .field("mtime", std::to_string(new_file_mtime()))
                       .field("compression", compression_key())
                       .finish();
  run_step(instruction, key, dockerfile::history_workdir(path), [&](int) -> std::optional<layer::WrittenLayer> {
    const auto& tree = state_->stack.tree(session_.stop);
    const auto owner = config.user.empty() ? Owner{} : resolve_directory_owner(account_files(), config.user);
    const auto resolved = tree.resolve(path);
    if (resolved.node != nullptr) {
      if (resolved.node->metadata.type == fs::FileType::directory) return std::nullopt;
      throw Error(ErrorKind::usage, path + " exists and is not a directory");
    }
    auto writer = new_layer();
    fs::FileMetadata metadata;
    metadata.type = fs::FileType::directory;
    metadata.mode = 0755;
    metadata.uid = owner.uid;
    metadata.gid = owner.gid;
    metadata.mtime = new_file_mtime();
    std::string made;
    for (const auto& part : split(clean_source_path(resolved.path), '/')) {
      made += (made.empty() ? "" : "/") + part;
      // Directories that exist are written again as they are; see CopyPlan::make_directories.
      const auto* existing = tree.find(made);
      if (existing != nullptr && existing->metadata.type != fs::FileType::directory) {
        throw Error(ErrorKind::usage, "cannot make " + path + ": /" + made + " is not a directory");
      }
      writer.add(made, existing == nullptr ? metadata : existing->metadata, {});
    }
    return writer.commit();
  });
}

}  // namespace tektii::builder
