#include "remote_sources.hpp"

#include "remote_credentials.hpp"
#include <tektii/net/url.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/hash.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <vector>

namespace tektii::cli {
namespace {

// What the server said about a file, and which blob it was.
struct FileRecord {
  oci::Digest digest;
  std::string etag;
  std::string last_modified;
};

std::string record_key(const std::string& url) {
  auto plain = net::Url::parse(url);
  plain.userinfo.clear();
  plain.fragment.clear();
  return Sha256().update_field("remote file v1").update_field(plain.str()).finish_hex();
}

std::optional<FileRecord> find_record(store::Store& store, const std::string& url) {
  const auto text = store.get(record_key(url));
  if (!text) return std::nullopt;
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto digest = json.value("digest", "");
  if (!oci::Digest::is_valid(digest) || !store.size_of(oci::Digest::parse(digest))) return std::nullopt;
  return FileRecord{oci::Digest::parse(digest), json.value("etag", ""), json.value("lastModified", "")};
}

void put_record(store::Store& store, const std::string& url, const FileRecord& record) {
  const nlohmann::json json = {
      {"digest", record.digest.str()}, {"etag", record.etag}, {"lastModified", record.last_modified}};
  // A header need not be UTF-8.
  store.put(record_key(url), json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

builder::RemoteFile file_of(store::Store& store, const oci::Digest& digest, const std::string& last_modified) {
  return {store.blob_path(digest), store.size_of(digest).value_or(0), digest, fetch::parse_http_date(last_modified)};
}

// What the store has may have been damaged since: a blob that is another one goes, and is fetched again.
bool is_sound(store::Store& store, const oci::Digest& digest, const std::stop_token& stop) {
  if (!store.size_of(digest)) return false;
  try {
    const auto source = store.open(digest);
    // The store does not verify what this process wrote, and a build may be long.
    Sha256 hash;
    std::vector<std::byte> buffer(std::size_t{1} << 20);
    while (const auto count = source->read(buffer)) {
      throw_if_stopped(stop);
      hash.update(ByteSpan(buffer).first(count));
    }
    if (oci::Digest::of_hex(hash.finish_hex()) == digest) return true;
    store.discard(digest);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::damaged) throw;
  }
  spdlog::warn("the blob {} of the store is damaged: it is fetched again", digest.str());
  return false;
}

}  // namespace

StoreRemoteSources::StoreRemoteSources(store::Store& store, net::HttpTransport& transport,
                                       builder::BuildSecrets secrets)
    : store_(store),
      secrets_(std::move(secrets)),
      http_(transport, clock_),
      git_({store.root() / "git" / "v1", [&store](std::string_view prefix) { return store.next_temp_name(prefix); },
            [&store](const std::filesystem::path& mirror) { return store.marks().mark(mirror); }},
           clock_) {}

builder::RemoteFile StoreRemoteSources::fetch_file(const builder::RemoteFileRequest& request,
                                                   const std::stop_token& stop) {
  Sha256 key;
  key.update_field(request.url).update_field(request.checksum ? request.checksum->str() : "");
  return files_.get(key.finish_hex(), stop, [&] { return download(request, stop); });
}

builder::RemoteFile StoreRemoteSources::download(const builder::RemoteFileRequest& request,
                                                 const std::stop_token& stop) {
  const auto record = find_record(store_, request.url);
  if (request.checksum && is_sound(store_, *request.checksum, stop)) {
    const bool same = record && record->digest == *request.checksum;
    return file_of(store_, *request.checksum, same ? record->last_modified : "");
  }
  fetch::HttpFileRequest http;
  http.url = request.url;
  http.authorization = http_authorization(secrets_, request.url);
  // With a checksum, what we have is known to be another file.
  if (record && !request.checksum) {
    http.etag = record->etag;
    http.last_modified = record->last_modified;
  }
  std::unique_ptr<store::BlobWriter> writer;
  std::optional<builder::MeteredSink> metered;
  const auto open_target = [&]() -> ByteSink& {
    writer = store_.create();
    if (request.meter == nullptr) return *writer;
    request.meter->restart();
    return metered.emplace(*writer, *request.meter);
  };
  const auto file = http_.fetch(http, open_target, stop);
  if (file.not_modified) {
    // Without the blob there is no record, and the server is asked for all of it.
    if (!is_sound(store_, record->digest, stop)) return download(request, stop);
    return file_of(store_, record->digest, record->last_modified);
  }
  try {
    std::optional<store::BlobInfo> expected;
    if (request.checksum) expected = store::BlobInfo{*request.checksum, file.size};
    const auto blob = writer->commit(expected);
    put_record(store_, request.url, {blob.digest, file.etag, file.last_modified});
    return file_of(store_, blob.digest, file.last_modified);
  } catch (Error& error) {
    error.add_context("download " + net::redact_url(escape_control(request.url)));
    throw;
  }
}

builder::GitTree StoreRemoteSources::fetch_git(const dockerfile::GitRef& reference, const std::stop_token& stop) {
  fetch::GitSource source;
  source.remote = reference.remote;
  source.ref = reference.ref;
  source.subdir = reference.subdir;
  source.checksum = reference.checksum;
  source.keep_git_dir = reference.keep_git_dir.value_or(false);
  source.submodules = reference.submodules;
  source.fetch_by_commit = reference.fetch_by_commit;
  Sha256 key;
  for (const auto& field : {source.remote, source.ref, source.subdir, source.checksum}) key.update_field(field);
  key.update_field(fmt::format("{} {} {}", source.keep_git_dir, source.submodules, source.fetch_by_commit));
  return trees_.get(key.finish_hex(), stop, [&]() -> builder::GitTree {
    source.authorization = git_authorization(secrets_, source.remote);
    auto checkout = git_.checkout(source, stop);
    return {std::move(checkout.directory), std::move(checkout.commit), checkout.commit_time};
  });
}

}  // namespace tektii::cli
