#include "locked_sources.hpp"

#include <tektii/oci/reference.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

namespace tektii::cli {
namespace {

Error not_locked(const std::string& key, const LockRules& rules) {
  Error error(ErrorKind::usage, fmt::format("{} is not in {}", escape_control(key), rules.name));
  error.add_hint("run tektii lock with the options of this build, and commit the file");
  for (const auto& [name, value] : rules.lock.build_args) {
    error.add_hint(fmt::format("it was locked with --build-arg {}={}", name, escape_control(value)));
  }
  return error;
}

Error locked_otherwise(const std::string& key, const std::string& what, const std::string& locked,
                       const LockRules& rules) {
  Error error(ErrorKind::failure,
              fmt::format("{} is {}, but {} says {}", escape_control(key), what, rules.name, locked));
  error.add_hint(fmt::format("run tektii lock --update={} when it should be another one", escape_control(key)));
  return error;
}

bool is_layout(const std::string& name) {
  return name.starts_with("oci-layout://");
}

class PinnedImage : public oci::ImageSource {
 public:
  PinnedImage(std::unique_ptr<oci::ImageSource> image, std::string key, oci::Digest pin, const LockRules& rules)
      : image_(std::move(image)), key_(std::move(key)), pin_(std::move(pin)), rules_(rules) {}

  // Sets the name that the image has when it is not pinned: what is built must not depend on that.
  void set_name(std::string name) { name_ = std::move(name); }

  oci::ResolvedImage resolve(const oci::Platform& platform, std::stop_token stop) override {
    auto resolved = image_->resolve(platform, std::move(stop));
    if (resolved.manifest.digest != pin_) {
      throw locked_otherwise(key_, resolved.manifest.digest.str(), pin_.str(), rules_);
    }
    if (name_) resolved.name = *name_;
    return resolved;
  }
  void fetch(const oci::Descriptor& blob, ByteSink& sink, std::stop_token stop) override {
    image_->fetch(blob, sink, std::move(stop));
  }

 private:
  std::unique_ptr<oci::ImageSource> image_;
  std::string key_;
  oci::Digest pin_;
  LockRules rules_;
  std::optional<std::string> name_;
};

const LockedFile* find_file(const LockRules& rules, const std::string& url) {
  const auto found = rules.lock.files.find(builder::file_key(url));
  return found == rules.lock.files.end() ? nullptr : &found->second;
}

const std::string* find_commit(const LockRules& rules, const dockerfile::GitRef& reference) {
  const auto found = rules.lock.repositories.find(builder::repository_key(reference));
  return found == rules.lock.repositories.end() ? nullptr : &found->second;
}

}  // namespace

oci::ImageOpener open_locked(oci::ImageOpener next, const LockRules& rules, const builder::BuildRequest& request) {
  return [next = std::move(next), rules, &request](const std::string& name) -> std::unique_ptr<oci::ImageSource> {
    const auto key = builder::image_key(request, name);
    const auto pin = rules.lock.images.find(key);
    if (pin == rules.lock.images.end()) {
      if (rules.is_complete) throw not_locked(key, rules);
      return next(name);
    }
    // A layout has no tags to look up; what it holds is compared.
    if (is_layout(name)) return std::make_unique<PinnedImage>(next(name), key, pin->second, rules);
    auto reference = oci::ImageReference::parse(name);
    const auto full_name = reference.str();
    reference.digest = pin->second;
    auto image = std::make_unique<PinnedImage>(next(reference.str()), key, pin->second, rules);
    image->set_name(full_name);
    return image;
  };
}

builder::RemoteFile LockedRemoteSources::fetch_file(const builder::RemoteFileRequest& request,
                                                    const std::stop_token& stop) {
  const auto* locked = find_file(rules_, request.url);
  if (locked == nullptr) {
    if (rules_.is_complete) throw not_locked(builder::file_key(request.url), rules_);
    return next_.fetch_file(request, stop);
  }
  if (request.checksum && *request.checksum != locked->digest) {
    throw locked_otherwise(builder::file_key(request.url), request.checksum->str() + " by its --checksum",
                           locked->digest.str(), rules_);
  }
  auto pinned = request;
  pinned.checksum = locked->digest;
  auto file = next_.fetch_file(pinned, stop);
  file.last_modified = locked->last_modified;
  return file;
}

builder::GitTree LockedRemoteSources::fetch_git(const dockerfile::GitRef& reference, const std::stop_token& stop) {
  const auto* commit = find_commit(rules_, reference);
  const auto key = builder::repository_key(reference);
  if (commit == nullptr) {
    if (rules_.is_complete) throw not_locked(key, rules_);
    return next_.fetch_git(reference, stop);
  }
  if (!commit->starts_with(reference.checksum)) {
    throw locked_otherwise(key, reference.checksum + " by its checksum", *commit, rules_);
  }
  auto pinned = reference;
  pinned.checksum = *commit;
  pinned.fetch_by_commit = true;
  return next_.fetch_git(pinned, stop);
}

LockFile lock_sources(const builder::SourceList& sources, const LockFile& kept, builder::RemoteSources& remote,
                      builder::ProgressSink& progress, const std::stop_token& stop) {
  LockFile lock;
  lock.build_args = sources.build_args;
  for (const auto& image : sources.images) lock.images.emplace(image.key, image.digest);
  const auto at = [&](const SourceSpan& span, const std::string& key, const auto& work) {
    builder::ProgressStep step(progress, fmt::format("[internal] lock {}", escape_control(key)),
                               [stop] { return stop.stop_requested(); });
    try {
      step.begin(builder::Activity::download);
      work(step.id());
    } catch (Error& error) {
      if (!error.span() && error.kind() != ErrorKind::interrupted) error.set_span(span);
      throw;
    }
    step.finish(builder::StepOutcome::done);
  };
  for (const auto& file : sources.files) {
    const auto key = builder::file_key(file.url);
    const auto known = kept.files.find(key);
    if (known != kept.files.end() && (!file.checksum || *file.checksum == known->second.digest)) {
      lock.files.insert(*known);
      continue;
    }
    at(file.span, key, [&](int step_id) {
      builder::ByteMeter meter(progress, step_id, builder::Activity::download);
      const auto fetched = remote.fetch_file({file.url, file.checksum, &meter}, stop);
      lock.files.emplace(key, LockedFile{fetched.digest, fetched.size, fetched.last_modified});
    });
  }
  for (const auto& repository : sources.repositories) {
    const auto key = builder::repository_key(repository.reference);
    const auto known = kept.repositories.find(key);
    if (known != kept.repositories.end() && known->second.starts_with(repository.reference.checksum)) {
      lock.repositories.insert(*known);
      continue;
    }
    at(repository.span, key,
       [&](int) { lock.repositories.emplace(key, remote.fetch_git(repository.reference, stop).commit); });
  }
  return lock;
}

void require_locked(const builder::SourceList& sources, const LockRules& rules) {
  std::optional<Error> first;
  const auto add = [&](const std::string& key, const SourceSpan& span) {
    if (first) {
      first->add_hint(fmt::format("also: {}:{}: {}", span.file, span.first_line, escape_control(key)));
    } else {
      first = not_locked(key, rules).set_span(span);
    }
  };
  for (const auto& file : sources.files) {
    if (find_file(rules, file.url) == nullptr) add(builder::file_key(file.url), file.span);
  }
  for (const auto& repository : sources.repositories) {
    if (find_commit(rules, repository.reference) == nullptr) {
      add(builder::repository_key(repository.reference), repository.span);
    }
  }
  if (first) throw Error(*first);
}

}  // namespace tektii::cli
