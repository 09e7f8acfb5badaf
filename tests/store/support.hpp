#pragma once

#include <tektii/oci/digest.hpp>
#include <tektii/store/blob_store.hpp>

#include <filesystem>
#include <iterator>
#include <string_view>

namespace tektii::store {

inline std::size_t count_files(const std::filesystem::path& directory) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(directory), std::filesystem::directory_iterator()));
}

inline oci::Digest write_blob(BlobStore& store, std::string_view content) {
  auto writer = store.create();
  writer->write(as_byte_span(content));
  return writer->commit(std::nullopt).digest;
}

}  // namespace tektii::store
