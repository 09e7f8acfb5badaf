#include "layer_stack.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/hash.hpp>
#include <tektii/util/parallel.hpp>
#include <tektii/util/pushed_source.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

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

void BlobFetcher::add_source(const oci::Layer& layer, std::shared_ptr<oci::ImageSource> source) {
  add_source(layer, BlobSource{[source = std::move(source)](const oci::Descriptor& blob, ByteSink& sink,
                                                            const std::stop_token& stop) {
               source->fetch(blob, sink, stop);
             }});
}

void BlobFetcher::add_source(const oci::Layer& layer, BlobSource source) {
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
  if (blobs_.size_of(layer.blob.digest) != layer.blob.size) download(layer, *entry, nullptr, stop);
}

// Into the store, and beside it to `also`. The caller holds the entry's lock.
void BlobFetcher::download(const oci::Layer& layer, Entry& entry, ByteSink* also, const std::stop_token& stop) {
  if (!entry.source) {
    const bool was_cut = blobs_.size_of(layer.blob.digest).has_value();
    if (was_cut) blobs_.discard(layer.blob.digest);
    throw Error(ErrorKind::damaged, fmt::format("layer {} {} the store", layer.blob.digest.str(),
                                                was_cut ? "was damaged in" : "is gone from"))
        .add_hint("build again, and it is made anew");
  }
  const auto fetch = [&] {
    const auto writer = blobs_.create();
    if (also == nullptr) {
      entry.source->fetch(layer.blob, *writer, stop);
    } else {
      TeeSink both(*writer, *also);
      entry.source->fetch(layer.blob, both, stop);
    }
    writer->commit(store::BlobInfo{layer.blob.digest, layer.blob.size});
  };
  try {
    return fetch();
  } catch (const Error& error) {
    // Wrong bytes may be the fault of what was in between, once. What they were passed on to can't take them back.
    if (error.kind() != ErrorKind::content || also != nullptr) throw;
  }
  fetch();
}

BlobOpener BlobFetcher::opener(const oci::Layer& layer, const std::stop_token& stop) {
  return [this, layer, stop]() -> std::unique_ptr<ByteSource> {
    if (blobs_.size_of(layer.blob.digest) == layer.blob.size) return blobs_.open(layer.blob.digest);
    return make_pushed_source(
        [this, layer](ByteSink& sink, const std::stop_token& token) {
          const auto entry = entry_of(layer.blob.digest);
          const std::lock_guard lock(entry->mutex);
          if (blobs_.size_of(layer.blob.digest) != layer.blob.size) return download(layer, *entry, &sink, token);
          // Someone else was faster while this one waited for the lock.
          copy_stream(*blobs_.open(layer.blob.digest), sink, token);
        },
        stop);
  };
}

void BlobFetcher::with_blob(const oci::Layer& layer, const std::function<void(const BlobOpener&)>& read,
                            const std::stop_token& stop) {
  // What comes from a download is verified on its way; only what lay in the store can be damaged.
  const bool was_there = blobs_.size_of(layer.blob.digest) == layer.blob.size;
  try {
    return read(opener(layer, stop));
  } catch (const Error& error) {
    // The reader may have stumbled over wrong bytes before their digest told: only what is whole is its own fault.
    const bool was_cut_short = !was_there && blobs_.size_of(layer.blob.digest) != layer.blob.size &&
                               (error.kind() == ErrorKind::content || error.kind() == ErrorKind::failure);
    if (was_cut_short) {
      ensure(layer, stop);
    } else if (error.kind() == ErrorKind::interrupted || !was_there || !heal(layer, stop)) {
      throw;
    }
  }
  read(opener(layer, stop));
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

LayerStack::LayerStack(const LayerStack& other)
    : snapshots_(other.snapshots_),
      fetcher_(other.fetcher_),
      layers_(other.layers_),
      expects_directories_(other.expects_directories_) {
  const std::lock_guard lock(other.tree_mutex_);
  tree_ = other.tree_;
  layers_in_tree_ = other.layers_in_tree_;
}

void LayerStack::push(oci::Layer layer) {
  layers_.push_back(std::move(layer));
}

// The longest first: it is what the others are then done beside.
void LayerStack::read_layers(std::vector<oci::Layer> layers, bool unpack, const std::stop_token& stop) {
  constexpr std::size_t k_layers_at_once = 4;
  std::stable_sort(layers.begin(), layers.end(),
                   [](const oci::Layer& a, const oci::Layer& b) { return a.blob.size > b.blob.size; });
  for_each_in_parallel(layers.size(), k_layers_at_once, stop, [&](std::size_t i, const std::stop_token& token) {
    const auto& layer = layers[i];
    const auto read = [&](const BlobOpener& blob) {
      if (unpack) {
        snapshots_->directory(layer, blob, token);
      } else {
        snapshots_->table(layer, blob, token);
      }
    };
    fetcher_->with_blob(layer, read, token);
  });
}

const layer::FileTree& LayerStack::tree(const std::stop_token& stop) {
  const std::lock_guard lock(tree_mutex_);
  std::vector<oci::Layer> missing;
  for (std::size_t i = layers_in_tree_; i < layers_.size(); ++i) {
    if (!snapshots_->has_index(layers_[i].diff_id)) missing.push_back(layers_[i]);
  }
  read_layers(std::move(missing), expects_directories_, stop);
  while (layers_in_tree_ < layers_.size()) {
    const auto& layer = layers_[layers_in_tree_];
    // From the file; one that is damaged is made again from the blob.
    fetcher_->with_blob(
        layer, [&](const BlobOpener& blob) { tree_.apply(snapshots_->table(layer, blob, stop), layer.diff_id); }, stop);
    ++layers_in_tree_;
  }
  return tree_;
}

std::vector<std::filesystem::path> LayerStack::directories(const std::stop_token& stop) {
  // overlayfs refuses one directory twice (ELOOP). The upper of two equal layers hides all that the lower one has.
  std::set<oci::Digest> seen;
  std::vector<oci::Layer> layers;
  std::copy_if(layers_.rbegin(), layers_.rend(), std::back_inserter(layers),
               [&](const oci::Layer& layer) { return seen.insert(layer.diff_id).second; });
  std::vector<oci::Layer> missing;
  for (const auto& layer : layers) {
    if (!snapshots_->has_directory(layer.diff_id)) missing.push_back(layer);
  }
  read_layers(std::move(missing), true, stop);
  std::vector<std::filesystem::path> directories;
  directories.reserve(layers.size());
  for (const auto& layer : layers) directories.push_back(snapshots_->directory(layer, stop));
  return directories;
}

std::filesystem::path LayerStack::directory(const oci::Digest& diff_id, const std::stop_token& stop) {
  const auto layer =
      std::find_if(layers_.begin(), layers_.end(), [&](const auto& one) { return one.diff_id == diff_id; });
  if (layer == layers_.end())
    throw Error(ErrorKind::failure, fmt::format("{} is no layer of the stack", diff_id.str()));
  if (!snapshots_->has_directory(diff_id)) read_layers({*layer}, true, stop);
  return snapshots_->directory(*layer, stop);
}

std::string LayerStack::chain_key() const {
  Sha256 hash;
  for (const auto& layer : layers_) hash.update_field(layer.diff_id.str());
  return hash.finish_hex();
}

}  // namespace tektii::builder
