#pragma once

#include <tektii/builder/remote.hpp>
#include <tektii/builder/secrets.hpp>
#include <tektii/fetch/git_fetcher.hpp>
#include <tektii/fetch/http_fetcher.hpp>
#include <tektii/net/http.hpp>
#include <tektii/store/store.hpp>
#include <tektii/util/single_flight.hpp>

#include <map>
#include <mutex>
#include <string>

namespace tektii::cli {

using builder::BuildSecrets;

// Remembers what a piece of work gave, per key; failures are not remembered. Thread-safe.
template <typename Value>
class OncePerKey {
 public:
  Value get(const std::string& key, const std::stop_token& stop, const std::function<Value()>& work) {
    if (auto known = find(key)) return *known;
    return flights_.run(key, stop, [&] {
      // Somebody may have landed between the question and the take-off.
      if (auto known = find(key)) return *known;
      Value value = work();
      const std::lock_guard lock(mutex_);
      return values_.emplace(key, std::move(value)).first->second;
    });
  }

 private:
  std::optional<Value> find(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto found = values_.find(key);
    return found == values_.end() ? std::nullopt : std::optional(found->second);
  }

  std::mutex mutex_;
  std::map<std::string, Value> values_;
  SingleFlight<Value> flights_;
};

// Remote files become blobs of the store, with a record of what their server said in the action cache; git repositories
// have mirrors in the store, and their trees are in its temporary directory.
class StoreRemoteSources : public builder::RemoteSources {
 public:
  // Store and transport outlive it. Credentials are those of the secrets: see remote_credentials.hpp.
  StoreRemoteSources(store::Store& store, net::HttpTransport& transport, BuildSecrets secrets);

  builder::RemoteFile fetch_file(const builder::RemoteFileRequest& request, const std::stop_token& stop) override;
  builder::GitTree fetch_git(const dockerfile::GitRef& reference, const std::stop_token& stop) override;

 private:
  builder::RemoteFile download(const builder::RemoteFileRequest& request, const std::stop_token& stop);

  store::Store& store_;
  BuildSecrets secrets_;
  SystemClock clock_;
  fetch::HttpFetcher http_;
  fetch::GitFetcher git_;
  OncePerKey<builder::RemoteFile> files_;
  OncePerKey<builder::GitTree> trees_;
};

}  // namespace tektii::cli
