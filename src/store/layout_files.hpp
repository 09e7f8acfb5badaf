#pragma once

#include <tektii/oci/manifest.hpp>

#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::store {

inline constexpr std::string_view k_ref_name = "org.opencontainers.image.ref.name";

// Of files in the root of a layout that are being written.
inline constexpr std::string_view k_temporary_prefix = ".tektii-";

// Creates the directory, blobs/sha256, oci-layout and an empty index.json, each unless it is there. Throws Error{usage}
// when there is a layout of another version.
void ensure_layout(const std::filesystem::path& root, const std::stop_token& stop = {});

// Takes away what a power cut or a fault of the disk made of oci-layout and index.json of a store of ours, so that
// ensure_layout() makes them again; the names of the images in a damaged index.json are lost, which is warned of.
void mend_layout(const std::filesystem::path& root);

// Replaces a document of a layout so that it is old or new also after a power cut.
void write_document(const std::filesystem::path& path, std::string_view text);

// Throws Error{usage} for a directory that holds something, but no layout: an image must not land among a user's files.
void refuse_foreign_directory(const std::filesystem::path& root);

// Throws Error{usage} when the directory is not an OCI image layout of version 1.
void check_layout(const std::filesystem::path& root);

std::string read_index_text(const std::filesystem::path& root);

// The tag of an entry of index.json; empty when it has none.
std::string ref_name_of(const oci::Descriptor& descriptor);

// Entries of index.json that belong to `tag`.
std::vector<oci::Descriptor> entries_tagged(const oci::Index& index, const std::string& tag);
// For hints.
std::string list_tags(const oci::Index& index);
// The one entry that has the tag; an empty one means the only entry, or "latest". Throws Error{usage} that lists what
// there is; `shown` names the layout.
oci::Descriptor select_entry(const oci::Index& index, const std::string& tag, const std::string& shown);

// Reads a small blob (index, manifest, config), verified; errors name the path.
std::string read_blob(const std::filesystem::path& root, const oci::Descriptor& blob);

}  // namespace tektii::store
