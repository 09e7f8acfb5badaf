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
#include <vector>

namespace tektii::builder {

// The directory behind a key of BuildRequest::named_contexts, without what its own .dockerignore excludes.
std::unique_ptr<CopySource> make_named_context_source(const BuildRequest& request, const std::string& key,
                                                      DirectoryRules rules);

// Everything that is in the source.
std::vector<SourceEntry> entries_of(CopySource& source, const std::stop_token& stop);

// Names, attributes and contents: what a layer of the entries depends on. The meter counts the bytes of the files.
void add_entries(KeyBuilder& key, const std::vector<SourceEntry>& entries, ByteMeter& meter,
                 const std::stop_token& stop);
// The same for a look at a source of its own.
void add_tree(KeyBuilder& key, CopySource& source, ByteMeter& meter, const std::stop_token& stop);

// The entries as one layer at the root, owned by root. nullopt when there are none.
std::optional<layer::WrittenLayer> write_entries(const std::vector<SourceEntry>& entries, layer::LayerWriter writer,
                                                 const std::stop_token& stop);

}  // namespace tektii::builder
