#include "layer/layer_pipeline.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tektii::layer {

namespace {

// Blocks between the writer and the hasher; the compressor has a bound of its own.
constexpr std::size_t k_most_queued = 8;

}  // namespace

// Blocks that nobody reads any more.
class LayerPipeline::Pool : public std::enable_shared_from_this<Pool> {
 public:
  SharedBlock take() {
    std::unique_ptr<Block> block;
    {
      const std::lock_guard lock(mutex_);
      if (!spare_.empty()) {
        block = std::move(spare_.back());
        spare_.pop_back();
      }
    }
    if (!block) block = std::make_unique<Block>();
    // Growing it later would cost another look at every byte.
    block->bytes.resize(k_compression_block);
    block->pieces.clear();
    return {block.release(),
            [pool = shared_from_this()](Block* used) { pool->give_back(std::unique_ptr<Block>(used)); }};
  }

 private:
  void give_back(std::unique_ptr<Block> block) {
    const std::lock_guard lock(mutex_);
    spare_.push_back(std::move(block));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Block>> spare_;
};

LayerPipeline::LayerPipeline(const CompressionOptions& compression, ByteSink& blob)
    : pool_(std::make_shared<Pool>()),
      to_hash_(k_most_queued),
      compressor_(make_block_compressor(compression, blob)),
      hasher_([this] { hash_blocks(); }) {}

LayerPipeline::~LayerPipeline() {
  to_hash_.abandon();
}

std::span<std::byte> LayerPipeline::room() {
  if (!current_) {
    current_ = pool_->take();
    fill_ = 0;
    content_begin_ = 0;
  }
  return std::span(current_->bytes).subspan(fill_);
}

void LayerPipeline::filled(std::size_t count) {
  fill_ += count;
  if (fill_ == current_->bytes.size()) submit();
}

void LayerPipeline::write(ByteSpan data) {
  while (!data.empty()) {
    const auto free = room();
    const std::size_t count = std::min(free.size(), data.size());
    std::memcpy(free.data(), data.data(), count);
    filled(count);
    data = data.subspan(count);
  }
}

void LayerPipeline::begin_content(ContentHash* hash) {
  content_ = hash;
  content_begin_ = current_ ? fill_ : 0;
}

void LayerPipeline::end_content() {
  if (content_ == nullptr) return;
  (void)room();  // the end must be told, also when the block was full
  close_piece(true);
  content_ = nullptr;
}

void LayerPipeline::close_piece(bool is_last) {
  if (content_ != nullptr) current_->pieces.push_back({content_begin_, fill_, content_, is_last});
}

void LayerPipeline::submit() {
  close_piece(false);
  current_->bytes.resize(fill_);
  const SharedBlock block = std::exchange(current_, nullptr);
  content_begin_ = 0;
  if (!to_hash_.push(block)) std::rethrow_exception(hash_error_);
  compressor_->submit(SharedBytes(block, &block->bytes));
}

void LayerPipeline::finish() {
  if (current_ && (fill_ != 0 || !current_->pieces.empty())) submit();
  to_hash_.close();
  compressor_->finish();
  hasher_.join();
  if (hash_error_) std::rethrow_exception(hash_error_);
  hash_hex_ = hash_.finish_hex();
}

void LayerPipeline::hash_blocks() {
  try {
    while (const auto block = to_hash_.pop()) {
      hash_.update((*block)->bytes);
      hash_pieces(**block);
    }
  } catch (...) {
    hash_error_ = std::current_exception();
    to_hash_.abandon();
  }
}

void LayerPipeline::hash_pieces(const Block& block) {
  for (const Piece& piece : block.pieces) {
    if (!content_hash_) content_hash_.emplace();
    content_hash_->update(ByteSpan(block.bytes).subspan(piece.begin, piece.end - piece.begin));
    if (!piece.is_last) continue;
    *piece.hash = content_hash_->finish_bytes();
    content_hash_->reset();
  }
}

}  // namespace tektii::layer
