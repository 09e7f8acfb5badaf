#include "step_cache.hpp"

#include <tektii/util/error.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>

namespace tektii::builder {

namespace {

constexpr std::size_t k_pending = std::size_t{64} << 10U;
constexpr std::string_view k_known_record = R"({"known":true})";

}  // namespace

KeyBuilder::KeyBuilder(std::string_view kind_and_version) {
  add(kind_and_version);
}

// The length, little endian, then the bytes, so that ("ab", "c") and ("a", "bc") differ.
void KeyBuilder::add(std::string_view text) {
  for (std::uint64_t i = 0, rest = text.size(); i < sizeof rest; ++i, rest >>= 8U) {
    pending_ += static_cast<char>(rest & 0xFFU);
  }
  pending_ += text;
  if (pending_.size() < k_pending) return;
  hash_.update(pending_);
  pending_.clear();
}

KeyBuilder& KeyBuilder::field(std::string_view name, std::string_view value) {
  add(name);
  add(value);
  return *this;
}

std::string KeyBuilder::finish() {
  return hash_.update(pending_).finish_hex();
}

KeyBuilder& KeyBuilder::metadata(const fs::FileMetadata& metadata) {
  field("type", std::to_string(static_cast<int>(metadata.type)));
  field("mode", std::to_string(metadata.mode));
  field("owner", std::to_string(metadata.uid) + ":" + std::to_string(metadata.gid));
  field("size", std::to_string(metadata.size));
  field("mtime", std::to_string(metadata.mtime));
  if (metadata.type == fs::FileType::symlink) field("link", metadata.link_target);
  if (metadata.type == fs::FileType::char_device || metadata.type == fs::FileType::block_device) {
    field("device", std::to_string(metadata.device_major) + ":" + std::to_string(metadata.device_minor));
  }
  for (const auto& [name, value] : metadata.xattrs) field("xattr", name).field("value", value);
  return *this;
}

std::optional<StepResult> find_step(store::ActionCache& actions, store::BlobStore& blobs, const std::string& key) {
  const auto record = actions.get(key);
  if (!record) return std::nullopt;
  const auto json = nlohmann::json::parse(*record, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  if (json.value("empty", false)) return StepResult{};
  const auto digest = json.value("digest", "");
  const auto diff_id = json.value("diffId", "");
  if (!oci::Digest::is_valid(digest) || !oci::Digest::is_valid(diff_id)) return std::nullopt;
  const oci::Descriptor blob{json.value("mediaType", ""), oci::Digest::parse(digest),
                             json.value("size", std::uint64_t{0})};
  if (blobs.size_of(blob.digest) != blob.size) return std::nullopt;
  return StepResult{oci::Layer{blob, oci::Digest::parse(diff_id)}};
}

void remember_step(store::ActionCache& actions, const std::string& key, const StepResult& result) {
  nlohmann::json json;
  if (result.layer) {
    json = {{"mediaType", result.layer->blob.media_type},
            {"digest", result.layer->blob.digest.str()},
            {"size", result.layer->blob.size},
            {"diffId", result.layer->diff_id.str()}};
  } else {
    json = {{"empty", true}};
  }
  actions.put(key, json.dump());
}

bool may_be_known(store::ActionCache& actions, const std::string& key) {
  return actions.get(key).has_value();
}

void remember_that_known(store::ActionCache& actions, const std::string& key) {
  if (!may_be_known(actions, key)) actions.put(key, k_known_record);
}

std::optional<std::string> find_content(store::ActionCache& actions, const std::string& key) {
  const auto record = actions.get(key);
  if (!record) return std::nullopt;
  const auto json = nlohmann::json::parse(*record, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  auto content = json.value("content", "");
  if (content.size() != 64) return std::nullopt;
  return content;
}

void remember_content(store::ActionCache& actions, const std::string& key, const std::string& content) {
  actions.put(key, nlohmann::json{{"content", content}}.dump());
}

}  // namespace tektii::builder
