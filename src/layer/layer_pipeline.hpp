#pragma once

#include <tektii/layer/layer_writer.hpp>
#include <tektii/util/bounded_queue.hpp>
#include <tektii/util/compress.hpp>
#include <tektii/util/hash.hpp>

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace tektii::layer {

// Takes the bytes of a tar and hands them, block by block, to the threads that hash them and to those that compress
// them. Whoever writes may fill the blocks itself (room, filled), so that a file is read to where it is compressed
// from.
class LayerPipeline : public ByteSink {
 public:
  // The compressed bytes go to `blob`, which is written to by another thread until finish() returns or this is
  // destroyed.
  LayerPipeline(const CompressionOptions& compression, ByteSink& blob);
  ~LayerPipeline() override;

  // The rest of the current block, never empty.
  std::span<std::byte> room();
  // The first `count` bytes of room() are the next ones of the stream.
  void filled(std::size_t count);
  void write(ByteSpan data) override;

  // Between these calls the stream is the content of one file. Its hash is in `hash` when finish() returns; nullptr
  // asks for none.
  void begin_content(ContentHash* hash);
  void end_content();

  // Ends the stream, and the blob. Throws what went wrong in a thread.
  void finish() override;
  // SHA-256 of the stream in hex; after finish().
  const std::string& hash_hex() const { return hash_hex_; }

 private:
  // A part of a block that belongs to a file whose hash is asked for.
  struct Piece {
    std::size_t begin = 0;
    std::size_t end = 0;
    ContentHash* hash = nullptr;
    bool is_last = false;
  };
  struct Block {
    std::vector<std::byte> bytes;
    std::vector<Piece> pieces;
  };
  using SharedBlock = std::shared_ptr<Block>;
  class Pool;

  void submit();
  void close_piece(bool is_last);
  void hash_blocks();
  void hash_pieces(const Block& block);

  // Shared with the blocks, which may be the last to go.
  std::shared_ptr<Pool> pool_;
  SharedBlock current_;
  std::size_t fill_ = 0;  // bytes of it
  ContentHash* content_ = nullptr;
  std::size_t content_begin_ = 0;
  BoundedQueue<SharedBlock> to_hash_;
  Sha256 hash_;
  std::optional<Sha256> content_hash_;
  std::string hash_hex_;
  std::exception_ptr hash_error_;  // set before the queue is closed
  std::unique_ptr<BlockCompressor> compressor_;
  std::jthread hasher_;  // last: it is gone before what it uses
};

}  // namespace tektii::layer
