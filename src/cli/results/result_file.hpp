#pragma once

#include "cli/context.hpp"
#include <tektii/util/fd.hpp>
#include <tektii/util/stream.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace tektii::cli {

// A file that appears under its name, in place of what was there, when it is committed; it is written beside it and
// removed when that does not happen. Throws Error{usage} for a name that can't be written.
class ResultFile : public ByteSink {
 public:
  explicit ResultFile(const std::string& path);
  ResultFile(const ResultFile&) = delete;
  ResultFile& operator=(const ResultFile&) = delete;
  ~ResultFile() override;

  void write(ByteSpan data) override;
  void commit();
  std::uint64_t size() const { return size_; }

 private:
  std::filesystem::path path_;
  std::filesystem::path partial_;
  UniqueFd fd_;
  std::uint64_t size_ = 0;
};

// How far a download has come, on one line of a terminal that is drawn over itself and cleared at the end; nothing
// elsewhere.
class DownloadLine {
 public:
  explicit DownloadLine(CommandContext& context) : context_(context), begin_(context.clock.now()) {}
  DownloadLine(const DownloadLine&) = delete;
  DownloadLine& operator=(const DownloadLine&) = delete;
  ~DownloadLine();

  void show(std::uint64_t received, std::optional<std::uint64_t> total);

 private:
  CommandContext& context_;
  std::chrono::system_clock::time_point begin_;
  std::chrono::system_clock::time_point drawn_{};
  bool shown_ = false;
};

}  // namespace tektii::cli
