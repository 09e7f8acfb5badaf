#pragma once

#include <tektii/builder/build.hpp>
#include <tektii/oci/ports.hpp>
#include <tektii/store/blob_store.hpp>

#include <functional>
#include <stop_token>
#include <string>

namespace tektii::cli {

// A layer on its way to a target. A base layer that no step read is fetched only if the target turns out to lack it.
oci::BlobUpload upload_of(const oci::Layer& layer, const builder::EnsureBlob& ensure, store::BlobStore& blobs,
                          const std::stop_token& stop);

// Puts a blob. Once its bytes are asked for it is shown as a step of its own, so nothing is shown for one that is
// there already or is mounted. True when its bytes were sent. Throws what put_blob throws.
using PutBlob = std::function<void(const oci::BlobUpload& upload)>;
struct ReportedAs {
  std::string title;
  builder::Activity activity = builder::Activity::upload;
};
bool put_reported(const PutBlob& put, const oci::BlobUpload& upload, const ReportedAs& as,
                  builder::ProgressSink& progress, const std::stop_token& stop);
// The same for a layer of an image that is pushed.
bool put_reported(oci::ImageTarget& target, const oci::BlobUpload& upload, builder::ProgressSink& progress,
                  const std::stop_token& stop);

}  // namespace tektii::cli
