#pragma once

#include <tektii/builder/build.hpp>
#include <tektii/oci/growing_blob.hpp>
#include <tektii/oci/reference.hpp>
#include <tektii/registry/client.hpp>
#include <tektii/store/blob_store.hpp>

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace tektii::cli {

// What a push does while the image is still being built: it finds out that it will be let in, then sends the layers
// that are handed to it, to every repository, up to four at a time, and those that are still being made beside them.
// What it sent, or is just sending, the client does not send again. Ends what is under way when it is destroyed.
// Thread-safe.
class EarlyPush {
 public:
  struct Deps {
    registry::RegistryClient& client;
    store::BlobStore& blobs;
    builder::ProgressSink& progress;
    std::function<void()> on_failure;  // called once, from another thread, as soon as the push can't succeed any more
  };
  // Starts the check of access. A stop of `stop` is one of everything here.
  EarlyPush(Deps deps, const std::vector<oci::ImageReference>& references, const std::stop_token& stop);
  EarlyPush(const EarlyPush&) = delete;
  EarlyPush& operator=(const EarlyPush&) = delete;
  ~EarlyPush();

  // Queues a layer; returns at once.
  void add(const oci::Layer& layer, const builder::EnsureBlob& ensure);
  // Sends a layer that is still being made to every repository; returns at once. What can't be sent so is sent when it
  // is complete.
  void stream(const std::shared_ptr<oci::GrowingBlob>& blob);
  // No layer that waits is sent any more, those under way go on. Waits until access was checked and throws the failure,
  // if there was one. A registry that could not be reached, or was too busy, for a layer is none: the push proper tries
  // again, and says so if it is still not there.
  void settle();
  // True when something was sent to the reference's repository, so that the image can't have been there.
  bool sent_to(const oci::ImageReference& reference);

 private:
  struct Job {
    std::size_t repository;  // its place in both lists below
    oci::Layer layer;
    builder::EnsureBlob ensure;
  };

  // A layer on its way to one repository while it is being made.
  struct Stream {
    std::shared_ptr<oci::GrowingBlob> blob;
    std::size_t repository;
    bool ended = false;
  };

  void check_access();
  void send_stream(Stream& stream);
  void wait_for_streams(const oci::Digest& digest);
  void work();
  std::optional<Job> next_job();  // waits for one; nullopt when there will be none
  void send(const Job& job);
  void fail(std::exception_ptr error);

  Deps deps_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> forward_stop_;
  std::vector<oci::ImageReference> all_repositories_;
  std::vector<oci::ImageReference> repositories_;           // the first of each registry, to which layers are sent
  std::vector<std::unique_ptr<oci::ImageTarget>> targets_;  // of the repositories

  std::mutex mutex_;  // guards what follows
  std::condition_variable_any changed_;
  bool access_checked_ = false;
  bool settled_ = false;
  std::exception_ptr error_;
  std::deque<Job> queue_;
  std::set<oci::Digest> seen_;
  std::list<Stream> streams_;
  std::set<std::string> sent_to_;      // repositories
  std::vector<std::jthread> threads_;  // last: they use the others
};

}  // namespace tektii::cli
