#include "context_source.hpp"
#include "copy_plan.hpp"
#include "stage_builder.hpp"
#include <tektii/dockerfile/history.hpp>
#include <tektii/dockerfile/values.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

namespace tektii::builder {
namespace {

// Adds everything below the matched paths to the key: names, attributes and contents, but not where it came from.
void add_content(KeyBuilder& key, CopySource& source, const std::vector<std::string>& paths,
                 const std::stop_token& stop) {
  std::map<std::string, std::string> first_names;  // link ids differ between machines, the first name does not
  for (const auto& path : paths) {
    key.field("source", path.substr(path.rfind('/') == std::string::npos ? 0 : path.rfind('/') + 1));
    source.visit(path, [&](const SourceEntry& entry) {
      throw_if_stopped(stop);
      key.field("path", entry.relative_path).metadata(entry.metadata);
      if (!entry.link_id.empty()) {
        key.field("same file as", first_names.emplace(entry.link_id, path + "/" + entry.relative_path).first->second);
      }
      if (entry.content_id) key.field("content", entry.content_id());
    });
  }
}

}  // namespace

std::unique_ptr<CopySource> StageBuilder::copy_source(const dockerfile::Copy& copy) {
  const auto& request = session_.request;
  DirectoryRules rules;
  if (!request.preserve_timestamps) rules.mtime = request.source_date_epoch;
  rules.preserve_modes = request.preserve_modes;
  if (!copy.from) {
    return make_directory_source(request.context, fs::IgnorePatterns::parse(request.ignore_text, request.ignore_name),
                                 request.ignore_name, rules);
  }
  const auto name = resolve_from(session_.plan, request, index_, *copy.from);
  switch (name.kind) {
    case SourceName::Kind::directory:
      return make_named_context_source(request, name.name, rules);
    case SourceName::Kind::stage:
      return make_stage_source(session_.stages.at(name.stage)->stack, session_.deps.snapshots, session_.fetcher,
                               session_.stop);
    case SourceName::Kind::image:
      return make_stage_source(open_image(session_, name.name)->stack, session_.deps.snapshots, session_.fetcher,
                               session_.stop);
    case SourceName::Kind::scratch:
      break;
  }
  throw Error(ErrorKind::usage, "COPY --from=scratch: there is nothing to copy from");
}

void StageBuilder::apply_body(const Instruction& instruction, const dockerfile::Copy& copy) {
  const auto source = copy_source(copy);
  std::vector<std::string> paths;
  std::vector<std::string> words;
  for (const auto& word : copy.sources) {
    const auto pattern = expanded(instruction, word);
    words.push_back(pattern);
    const auto found = source->match(pattern);
    if (found.empty() && !fs::has_glob_meta(pattern)) {
      throw Error(ErrorKind::usage,
                  fmt::format("{} not found{}", pattern,
                              copy.from ? fmt::format(" in {}", *copy.from) : " in the build context"))
          .set_span(session_.plan.file.span(instruction.lines, word));
    }
    paths.insert(paths.end(), found.begin(), found.end());
  }
  const auto written_destination = expanded(instruction, copy.destination);
  const auto destination = absolute(written_destination);
  const bool wants_directory = written_destination.ends_with('/') || written_destination.ends_with("/.") ||
                               written_destination == "." || written_destination == ".." || destination == "/";
  const auto chown = copy.chown ? std::optional(expanded(instruction, *copy.chown)) : std::nullopt;
  const auto chmod = copy.chmod ? std::optional(expanded(instruction, *copy.chmod)) : std::nullopt;

  KeyBuilder key("copy/1");
  key.field("layers", state_->stack.chain_key())
      .field("destination", destination)
      .field("into", wants_directory ? "directory" : "name")
      .field("chown", chown.value_or("-"))
      .field("chmod", chmod.value_or("-"))
      .field("mtime", std::to_string(new_file_mtime()))
      .field("compression", compression_key());
  add_content(key, *source, paths, session_.stop);

  dockerfile::Copy shown = copy;
  shown.sources = words;
  shown.destination = written_destination;
  shown.chown = chown;
  shown.chmod = chmod;
  run_step(instruction, key.finish(), dockerfile::history_copy(shown), [&](int) -> std::optional<layer::WrittenLayer> {
    const auto& tree = state_->stack.tree(session_.stop);
    CopyAttributes attributes;
    attributes.new_directory_mtime = new_file_mtime();
    if (chown) attributes.owner = resolve_chown(account_files(), *chown);
    if (chmod) {
      attributes.chmod = [change = dockerfile::parse_chmod(*chmod)](std::uint32_t mode, bool is_directory) {
        return change.apply(mode, is_directory);
      };
    }
    CopyPlan plan(tree, std::move(attributes));
    const bool into_directory = wants_directory || plan.is_directory(destination);
    if (paths.size() > 1 && !into_directory) {
      throw Error(ErrorKind::usage,
                  fmt::format("{} files are copied to {}, which is not a directory", paths.size(), destination))
          .add_hint(fmt::format("end the destination with a slash: {}/", written_destination))
          .set_span(session_.plan.file.span(instruction.lines, copy.destination));
    }
    for (const auto& path : paths) plan.copy(*source, path, destination, into_directory);
    if (plan.empty()) return std::nullopt;
    auto writer = new_layer();
    plan.write(writer, session_.stop);
    return writer.commit();
  });
}

}  // namespace tektii::builder
