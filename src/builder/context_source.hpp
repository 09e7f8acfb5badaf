#pragma once

#include "copy_source.hpp"
#include "step_cache.hpp"
#include <tektii/builder/byte_meter.hpp>
#include <tektii/builder/request.hpp>
#include <tektii/layer/layer_writer.hpp>

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace tektii::builder {

// The directory behind a key of BuildRequest::named_contexts, without what its own .dockerignore excludes.
std::unique_ptr<CopySource> make_named_context_source(const BuildRequest& request, const std::string& key,
                                                      DirectoryRules rules);

// Names, attributes and contents of everything in the source: what a layer of it depends on. The meter counts the bytes
// of the files.
void add_tree(KeyBuilder& key, CopySource& source, ByteMeter& meter, const std::stop_token& stop);

// Everything in the source as one layer at the root, owned by root. nullopt when there is nothing.
std::optional<layer::WrittenLayer> write_tree(CopySource& source, layer::LayerWriter writer,
                                              const std::stop_token& stop);

}  // namespace tektii::builder
