#include "layer_stack.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/hash.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <set>
#include <thread>

namespace tektii::builder {
namespace {

bool is_intact(store::BlobStore& blobs, const oci::Descriptor& blob, const std::stop_token& stop) {
  if (blobs.size_of(blob.digest) != blob.size) return false;
  try {
    const auto source = blobs.open(blob.digest);
    Sha256 hash;
    std::vector<std::byte> buffer(std::size_t{1} << 20U);
    while (const auto count = source->read(buffer)) {
      throw_if_stopped(stop);
      hash.update(ByteSpan(buffer).first(count));
    }
    return oci::Digest::of_hex(hash.finish_hex()) == blob.digest;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::damaged) return false;
    throw;
  }
}

}  // namespace

BlobFetcher::BlobFetcher(store::BlobStore& blobs, Around around) : blobs_(blobs), around_(std::move(around)) {}

void BlobFetcher::add_source(const oci::Layer& layer, std::shared_ptr<oci::ImageSource> source) {
  const auto entry = entry_of(layer.blob.digest);
  const std::lock_guard lock(entry->mutex);
  entry->source = std::move(source);
}

std::shared_ptr<BlobFetcher::Entry> BlobFetcher::entry_of(const oci::Digest& digest) {
  const std::lock_guard lock(mutex_);
  auto& entry = entries_[digest];
  if (!entry) entry = std::make_shared<Entry>();
  return entry;
}

void BlobFetcher::ensure(const oci::Layer& layer, const std::stop_token& stop) {
  const auto entry = entry_of(layer.blob.digest);
  const std::lock_guard lock(entry->mutex);
  const auto size = blobs_.size_of(layer.blob.digest);
  if (size == layer.blob.size) return;
  if (!entry->source) {
    if (size) blobs_.discard(layer.blob.digest);
    throw Error(ErrorKind::damaged,
                fmt::format("layer {} {} the store", layer.blob.digest.str(), size ? "was damaged in" : "is gone from"))
        .add_hint("build again, and it is made anew");
  }
  around_(layer, [&] {
    const auto writer = blobs_.create();
    entry->source->fetch(layer.blob, *writer, stop);
    writer->commit(store::BlobInfo{layer.blob.digest, layer.blob.size});
  });
}

bool BlobFetcher::heal(const oci::Layer& layer, const std::stop_token& stop) {
  const auto entry = entry_of(layer.blob.digest);
  {
    const std::lock_guard lock(entry->mutex);
    if (is_intact(blobs_, layer.blob, stop)) return false;
    blobs_.discard(layer.blob.digest);
    if (!entry->source) {
      throw Error(ErrorKind::damaged, fmt::format("layer {} was damaged in the store", layer.blob.digest.str()))
          .add_hint("it was removed: build again, and it is made anew");
    }
  }
  ensure(layer, stop);
  return true;
}

void BlobFetcher::ensure_all(const std::vector<oci::Layer>& layers, const std::stop_token& stop) {
  constexpr std::size_t k_parallel_fetches = 4;
  std::atomic<std::size_t> next{0};
  std::mutex error_mutex;
  std::exception_ptr first_error;
  const auto work = [&] {
    for (std::size_t i = next++; i < layers.size(); i = next++) {
      try {
        ensure(layers[i], stop);
      } catch (...) {
        const std::lock_guard lock(error_mutex);
        if (!first_error) first_error = std::current_exception();
        next = layers.size();
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < std::min(k_parallel_fetches, layers.size()); ++i) threads.emplace_back(work);
    work();
  }
  if (first_error) std::rethrow_exception(first_error);
}

LayerStack::LayerStack(const LayerStack& other)
    : snapshots_(other.snapshots_), fetcher_(other.fetcher_), layers_(other.layers_) {
  const std::lock_guard lock(other.tree_mutex_);
  tree_ = other.tree_;
  layers_in_tree_ = other.layers_in_tree_;
}

void LayerStack::push(oci::Layer layer) {
  layers_.push_back(std::move(layer));
}

void LayerStack::push(oci::Layer layer, const layer::LayerIndex& index) {
  const std::lock_guard lock(tree_mutex_);
  if (layers_in_tree_ == layers_.size()) {
    tree_.apply(index, layer.diff_id);
    ++layers_in_tree_;
  }
  layers_.push_back(std::move(layer));
}

template <typename Read>
auto LayerStack::read_healing(const oci::Layer& layer, const std::stop_token& stop, const Read& read) {
  try {
    return read(layer);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted || !fetcher_->heal(layer, stop)) throw;
  }
  return read(layer);
}

const layer::FileTree& LayerStack::tree(const std::stop_token& stop) {
  const std::lock_guard lock(tree_mutex_);
  std::vector<oci::Layer> missing;
  for (std::size_t i = layers_in_tree_; i < layers_.size(); ++i) {
    if (!snapshots_->has_index(layers_[i].diff_id)) missing.push_back(layers_[i]);
  }
  fetcher_->ensure_all(missing, stop);
  while (layers_in_tree_ < layers_.size()) {
    const auto& layer = layers_[layers_in_tree_];
    const auto read = [&](const oci::Layer& wanted) { return snapshots_->index(wanted, stop); };
    tree_.apply(read_healing(layer, stop, read), layer.diff_id);
    ++layers_in_tree_;
  }
  return tree_;
}

std::vector<std::filesystem::path> LayerStack::directories(const std::stop_token& stop) {
  std::vector<oci::Layer> missing;
  for (const auto& layer : layers_) {
    if (!snapshots_->has_directory(layer.diff_id)) missing.push_back(layer);
  }
  fetcher_->ensure_all(missing, stop);
  // overlayfs refuses one directory twice (ELOOP). The upper of two equal layers hides all that the lower one has.
  std::set<oci::Digest> seen;
  std::vector<std::filesystem::path> directories;
  for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
    if (!seen.insert(layer->diff_id).second) continue;
    const auto read = [&](const oci::Layer& wanted) { return snapshots_->directory(wanted, stop); };
    directories.push_back(read_healing(*layer, stop, read));
  }
  return directories;
}

std::string LayerStack::chain_key() const {
  Sha256 hash;
  for (const auto& layer : layers_) hash.update_field(layer.diff_id.str());
  return hash.finish_hex();
}

}  // namespace tektii::builder
