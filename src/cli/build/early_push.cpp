#include "early_push.hpp"

#include "reported_upload.hpp"
#include <tektii/util/error.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace tektii::cli {
namespace {

constexpr std::size_t k_parallel_uploads = 4;

}  // namespace

EarlyPush::EarlyPush(Deps deps, const std::vector<oci::ImageReference>& references, const std::stop_token& stop)
    : deps_(std::move(deps)), forward_stop_(stop, [source = stop_]() mutable { source.request_stop(); }) {
  std::set<std::string> seen;
  std::set<std::string> registries;
  for (const auto& reference : references) {
    if (!seen.insert(reference.repository_str()).second) continue;
    all_repositories_.push_back(reference);
    // The others of a registry mount in the end what the first one has.
    if (!registries.insert(reference.registry).second) continue;
    repositories_.push_back(reference);
    targets_.push_back(deps_.client.target(reference));
  }
  threads_.emplace_back([this] {
    check_access();
    work();
  });
}

EarlyPush::~EarlyPush() {
  stop_.request_stop();
  std::vector<std::jthread> threads;
  {
    const std::lock_guard lock(mutex_);
    threads.swap(threads_);
  }
}

void EarlyPush::check_access() {
  try {
    for (const auto& repository : all_repositories_) deps_.client.check_push_access(repository, stop_.get_token());
  } catch (...) {
    fail(std::current_exception());
  }
  {
    const std::lock_guard lock(mutex_);
    access_checked_ = true;
  }
  changed_.notify_all();
}

void EarlyPush::add(const oci::Layer& layer, const builder::EnsureBlob& ensure) {
  {
    const std::lock_guard lock(mutex_);
    if (settled_ || error_ || !seen_.insert(layer.blob.digest).second) return;
    for (std::size_t i = 0; i < targets_.size(); ++i) queue_.push_back({i, layer, ensure});
    if (threads_.size() < k_parallel_uploads) threads_.emplace_back([this] { work(); });
  }
  changed_.notify_all();
}

void EarlyPush::stream(const std::shared_ptr<oci::GrowingBlob>& blob) {
  const std::lock_guard lock(mutex_);
  if (settled_ || error_ || stop_.stop_requested()) return;
  for (std::size_t i = 0; i < repositories_.size(); ++i) {
    auto& stream = streams_.emplace_back(Stream{blob, i});
    try {
      threads_.emplace_back([this, &stream] { send_stream(stream); });
    } catch (const std::system_error& error) {
      stream.ended = true;
      spdlog::info("a layer is not sent while it is made: {}", error.what());
    }
  }
}

void EarlyPush::send_stream(Stream& stream) {
  const auto stop = stop_.get_token();
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [&] { return access_checked_ || error_; });
  }
  try {
    if (!stop.stop_requested()) {
      builder::ProgressStep step(deps_.progress, "push a layer while it is made",
                                 [stop] { return stop.stop_requested(); });
      const bool sent = deps_.client.stream_blob(repositories_[stream.repository], *stream.blob, stop);
      step.finish(sent ? builder::StepOutcome::done : builder::StepOutcome::canceled);
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::interrupted) fail(std::current_exception());
  } catch (...) {
    fail(std::current_exception());
  }
  {
    const std::lock_guard lock(mutex_);
    stream.ended = true;
  }
  changed_.notify_all();
}

// A layer that is being streamed is not sent a second time beside it.
void EarlyPush::wait_for_streams(const oci::Digest& digest) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop_.get_token(), [&] {
    return std::all_of(streams_.begin(), streams_.end(), [&](const Stream& stream) {
      const auto sealed = stream.blob->sealed();
      return stream.ended || !sealed || sealed->digest != digest;
    });
  });
}

void EarlyPush::work() {
  while (const auto job = next_job()) send(*job);
}

std::optional<EarlyPush::Job> EarlyPush::next_job() {
  const auto stop = stop_.get_token();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [&] { return settled_ || error_ || (access_checked_ && !queue_.empty()); });
  if (stop.stop_requested() || settled_ || error_) return std::nullopt;
  auto job = std::move(queue_.front());
  queue_.pop_front();
  return job;
}

void EarlyPush::send(const Job& job) {
  const auto stop = stop_.get_token();
  try {
    wait_for_streams(job.layer.blob.digest);
    const auto upload = upload_of(job.layer, job.ensure, deps_.blobs, stop);
    if (!put_reported(*targets_[job.repository], upload, deps_.progress, stop)) return;
    const std::lock_guard lock(mutex_);
    sent_to_.insert(repositories_[job.repository].repository_str());
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) return;
    if (error.kind() != ErrorKind::network) return fail(std::current_exception());
    spdlog::info("layer {} is tried again at the end: {}", job.layer.blob.digest.short_hex(), error.what());
  } catch (...) {
    fail(std::current_exception());
  }
}

void EarlyPush::fail(std::exception_ptr error) {
  {
    const std::lock_guard lock(mutex_);
    if (error_ || stop_.stop_requested()) return;
    error_ = std::move(error);
  }
  changed_.notify_all();
  stop_.request_stop();
  deps_.on_failure();
}

bool EarlyPush::sent_to(const oci::ImageReference& reference) {
  const std::lock_guard lock(mutex_);
  return sent_to_.contains(reference.repository_str());
}

void EarlyPush::settle() {
  const auto stop = stop_.get_token();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [&] { return access_checked_ || error_; });
  const auto streams_ended = [&] {
    return std::all_of(streams_.begin(), streams_.end(), [](const Stream& stream) { return stream.ended; });
  };
  changed_.wait(lock, stop, [&] { return streams_ended() || error_; });
  settled_ = true;
  queue_.clear();
  changed_.notify_all();
  if (error_) std::rethrow_exception(error_);
  throw_if_stopped(stop);
}

}  // namespace tektii::cli
