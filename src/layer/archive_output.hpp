#pragma once

#include <tektii/util/fd.hpp>
#include <tektii/util/stream.hpp>

#include <cstdint>
#include <filesystem>

namespace tektii::layer {

// Where the bytes of an archive go. Thread-safe for places that do not overlap.
class ArchiveOutput {
 public:
  virtual ~ArchiveOutput() = default;
  virtual void write(std::uint64_t offset, ByteSpan data) = 0;
  virtual void finish() = 0;
};

// A file that gets its name in the end.
class FileOutput : public ArchiveOutput {
 public:
  explicit FileOutput(std::filesystem::path file);
  FileOutput(const FileOutput&) = delete;
  FileOutput& operator=(const FileOutput&) = delete;
  ~FileOutput() override;

  void write(std::uint64_t offset, ByteSpan data) override;
  void finish() override;

 private:
  std::filesystem::path file_;
  std::filesystem::path temporary_;  // empty once it is renamed
  UniqueFd fd_;
};

// A stream, which takes what comes in order alone.
class StreamOutput : public ArchiveOutput {
 public:
  explicit StreamOutput(ByteSink& sink) : sink_(sink) {}
  void write(std::uint64_t offset, ByteSpan data) override;
  void finish() override {}

 private:
  ByteSink& sink_;
  std::uint64_t position_ = 0;
};

}  // namespace tektii::layer
