#include "remote_source.hpp"

#include <tektii/builder/byte_meter.hpp>
#include <tektii/builder/sources.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/hash.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tektii::builder {
namespace {

std::int64_t file_time(const std::optional<std::int64_t>& own, const RemoteRules& rules) {
  if (!own) return rules.epoch;
  return rules.preserve_times ? *own : std::min(*own, rules.epoch);
}

// Reports what takes its time. `fetch` is handed the number of the step.
template <typename Fetch>
auto fetch_reported(const RemoteRules& rules, const std::string& url, const Fetch& fetch) {
  ProgressStep report(rules.progress, fmt::format("[internal] fetch {}", without_credentials(url)),
                      [stop = rules.stop] { return stop.stop_requested(); });
  report.begin(Activity::download);
  auto fetched = fetch(report.id());
  report.finish(StepOutcome::done);
  return fetched;
}

class FetchedFile : public SourceFile {
 public:
  FetchedFile(std::filesystem::path path, std::string digest) : path_(std::move(path)), digest_(std::move(digest)) {}
  std::unique_ptr<ByteSource> open() override { return open_source(path_); }
  std::string content_id() override { return digest_; }

 private:
  std::filesystem::path path_;
  std::string digest_;
};

class UrlSource : public CopySource {
 public:
  UrlSource(RemoteRules rules, RemoteFileRequest request) : rules_(std::move(rules)), request_(std::move(request)) {}

  void visit(const std::string&, const Visitor& visitor, const Prune&) override {
    const auto& file = fetched();
    SourceEntry entry;
    entry.metadata.mode = 0600;
    entry.metadata.size = file.size;
    // With a checksum the server need not be asked, so what it says of the time can't count.
    entry.metadata.mtime = file_time(request_.checksum ? std::nullopt : file.last_modified, rules_);
    entry.file = std::make_shared<FetchedFile>(file.path, file.digest.str());
    visitor(std::move(entry));
  }

  std::optional<std::string> known_content() override {
    if (!request_.checksum) return std::nullopt;
    note(*request_.checksum);
    return request_.checksum->str();
  }

 private:
  const RemoteFile& fetched() {
    if (!file_) {
      file_ = fetch_reported(rules_, request_.url, [&](int step_id) {
        ByteMeter meter(rules_.progress, step_id, Activity::download);
        auto request = request_;
        request.meter = &meter;
        return rules_.remote.fetch_file(request, rules_.stop);
      });
      note(file_->digest);
    }
    return *file_;
  }

  void note(const oci::Digest& digest) const {
    if (rules_.materials != nullptr) rules_.materials->add(attest::file_material(file_key(request_.url), digest));
  }

  RemoteRules rules_;
  RemoteFileRequest request_;
  std::optional<RemoteFile> file_;
};

class GitSource : public CopySource {
 public:
  GitSource(RemoteRules rules, dockerfile::GitRef reference)
      : rules_(std::move(rules)), reference_(std::move(reference)) {}

  void visit(const std::string& path, const Visitor& visitor, const Prune& prune) override {
    if (!files_) {
      const auto& tree = fetched();
      // The time of the checkout means nothing, and would be another in every build.
      const bool has_time = reference_.commit_times || rules_.preserve_times;
      const auto time = has_time ? std::optional(tree.commit_time) : std::nullopt;
      files_ = make_directory_source(tree.directory, {}, "", {.mtime = file_time(time, rules_)});
    }
    files_->visit(path, visitor, prune);
  }

  std::optional<std::string> known_content() override {
    const bool keeps_git = reference_.keep_git_dir.value_or(false);
    const auto commit = dockerfile::is_commit_id(reference_.checksum) ? reference_.checksum : fetched().commit;
    if (rules_.materials != nullptr) {
      rules_.materials->add(attest::commit_material(repository_key(reference_), commit));
    }
    Sha256 hash;
    hash.update_field(commit).update_field(reference_.subdir);
    hash.update_field(reference_.submodules ? "submodules" : "").update_field(reference_.commit_times ? "times" : "");
    // The repository's own directory names where it came from and what was checked out.
    hash.update_field(keeps_git ? reference_.remote : "").update_field(keeps_git ? reference_.ref : "");
    hash.update_field(keeps_git ? "keep" : "");
    hash.update_field(fmt::format("{}:{}", rules_.epoch, rules_.preserve_times));
    return hash.finish_hex();
  }

 private:
  const GitTree& fetched() {
    if (!tree_) {
      tree_ = fetch_reported(rules_, reference_.remote,
                             [&](int) { return rules_.remote.fetch_git(reference_, rules_.stop); });
    }
    return *tree_;
  }

  RemoteRules rules_;
  dockerfile::GitRef reference_;
  std::optional<GitTree> tree_;
  std::unique_ptr<CopySource> files_;
};

}  // namespace

std::unique_ptr<CopySource> make_url_source(const RemoteRules& rules, RemoteFileRequest request) {
  return std::make_unique<UrlSource>(rules, std::move(request));
}

std::unique_ptr<CopySource> make_git_source(const RemoteRules& rules, dockerfile::GitRef reference) {
  return std::make_unique<GitSource>(rules, std::move(reference));
}

}  // namespace tektii::builder
