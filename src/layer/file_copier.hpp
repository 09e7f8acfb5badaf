#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

namespace tektii::layer {

// Copies the bytes of files, in the cheapest way that the file system has: shared blocks (FICLONE: btrfs, xfs,
// bcachefs), else copy_file_range(2), else read and write. Holes stay holes. What did not work once is not tried again.
class FileCopier {
 public:
  // `to` is empty and open for writing; `size` is what fstat() said of `from`. Throws Error with `shown`.
  void copy(int from, int to, std::uint64_t size, bool has_holes, const std::string& shown,
            const std::stop_token& stop);

  std::uint64_t cloned() const { return cloned_; }  // files that share their blocks with the original
  std::uint64_t copied() const { return copied_; }  // files whose bytes were copied

 private:
  void copy_range(int from, int to, std::uint64_t begin, std::uint64_t end, const std::string& shown,
                  const std::stop_token& stop);
  bool copy_in_kernel(int from, int to, std::uint64_t& begin, std::uint64_t end, const std::string& shown,
                      const std::stop_token& stop);

  bool try_clone_ = true;
  bool try_kernel_copy_ = true;
  std::uint64_t cloned_ = 0;
  std::uint64_t copied_ = 0;
};

}  // namespace tektii::layer
