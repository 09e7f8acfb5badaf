#pragma once

#include "lock_file.hpp"
#include <tektii/builder/progress.hpp>
#include <tektii/builder/remote.hpp>
#include <tektii/builder/request.hpp>
#include <tektii/builder/sources.hpp>
#include <tektii/oci/ports.hpp>

#include <stop_token>
#include <string>

namespace tektii::cli {

// How a lock is used: a build takes nothing that is not in it, `tektii lock` looks up what it does not know yet.
struct LockRules {
  const LockFile& lock;
  std::string name;  // of the file, for messages
  bool is_complete = true;
};

// Opens images by the digest that they are locked to, so that no tag is looked up, and checks that it is what comes.
// An image keeps the name that the Dockerfile has for it. What the rules and the request refer to outlives the opener.
oci::ImageOpener open_locked(oci::ImageOpener next, const LockRules& rules, const builder::BuildRequest& request);

// Fetches files by their locked digest and repositories by their locked commit.
class LockedRemoteSources : public builder::RemoteSources {
 public:
  // `next` and the lock outlive it.
  LockedRemoteSources(builder::RemoteSources& next, LockRules rules) : next_(next), rules_(std::move(rules)) {}

  builder::RemoteFile fetch_file(const builder::RemoteFileRequest& request, const std::stop_token& stop) override;
  builder::GitTree fetch_git(const dockerfile::GitRef& reference, const std::stop_token& stop) override;

 private:
  builder::RemoteSources& next_;
  LockRules rules_;
};

// Throws Error{usage}, with its line of the Dockerfile, for the first file or repository that is not locked; the others
// are in its hints.
void require_locked(const builder::SourceList& sources, const LockRules& rules);

// Locks every source: to what `kept` has for it, else to what it is now.
LockFile lock_sources(const builder::SourceList& sources, const LockFile& kept, builder::RemoteSources& remote,
                      builder::ProgressSink& progress, const std::stop_token& stop);

}  // namespace tektii::cli
