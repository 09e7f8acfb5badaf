#pragma once

#include "support/http_server.hpp"
#include <tektii/util/hash.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tektii::testing {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

// The body of a request as it arrived: hashed in full, kept up to a limit, so that a test may send more than fits into
// memory.
class ReceivedBody {
 public:
  explicit ReceivedBody(std::uint64_t keep_limit) : keep_limit_(keep_limit) {}

  void append(std::string_view data);
  std::uint64_t size() const { return size_; }
  const std::string& content() const { return content_; }
  bool is_kept() const { return content_.size() == size_; }
  std::string hex() { return hash_.finish_hex(); }  // once

 private:
  std::uint64_t keep_limit_;
  std::uint64_t size_ = 0;
  std::string content_;
  Sha256 hash_;
};

// Content that is made when it is asked for: fills `out` with the bytes from `offset` on.
using Generator = std::function<void(std::uint64_t offset, std::span<char> out)>;

struct StoreAnswer {
  int status = 200;
  HeaderList headers = {};
  std::string body = {};
  Generator generator = {};  // instead of `body`: `length` bytes from `offset` on
  std::uint64_t offset = 0;
  std::uint64_t length = 0;

  std::uint64_t size() const { return generator ? length : body.size(); }
};

// A registry in memory that answers by the distribution specification: blobs, uploads in one piece and in chunks,
// mounts, ranges, manifests, tags, referrers, and a token server at /token. Thread-safe.
class RegistryStore {
 public:
  enum class Auth { none, basic, bearer };
  // What becomes of an upload whose connection is cut in the middle of a body.
  enum class AfterCut {
    forget,  // registry:2 and zot: the next request for it is a 404
    keep,    // distribution 3: the bytes that arrived count
  };

  struct Options {
    Auth auth = Auth::none;
    std::string username = "bob";
    std::string password = "s3cret:with:colons";
    bool anonymous_tokens = false;  // the token server also answers without credentials
    bool enforce_scopes = false;    // with bearer: a token of other scopes gets 401 insufficient_scope
    int token_seconds = 300;
    bool supports_mount = true;
    bool supports_referrers = true;
    bool checks_references = true;  // manifests whose blobs are missing are refused with MANIFEST_BLOB_UNKNOWN
    bool immutable_tags = false;
    AfterCut after_cut = AfterCut::forget;
    std::uint64_t min_chunk = 0;           // sent as OCI-Chunk-Min-Length and enforced
    std::uint64_t keep_limit = 256 << 20;  // longer bodies are hashed and forgotten
  };

  explicit RegistryStore(Options options) : options_(std::move(options)) {}

  const Options& options() const { return options_; }
  // Where the token server is, "http://127.0.0.1:1234".
  void set_base_url(std::string url) { base_url_ = std::move(url); }

  StoreAnswer handle(const ServerRequest& request, ReceivedBody& body);
  // The body of this request ended early.
  void cut(const ServerRequest& request, ReceivedBody& body);

  // Content without a request; each returns the digest.
  std::string add_blob(const std::string& repository, const std::string& content);
  void add_blob(const std::string& repository, const std::string& digest, std::uint64_t size, Generator generator);
  std::string add_manifest(const std::string& repository, const std::string& tag, const std::string& media_type,
                           const std::string& content);
  void remove_blob(const std::string& repository, const std::string& digest);
  bool has_blob(const std::string& repository, const std::string& digest) const;
  // Of a blob that was kept; empty when there is none.
  std::string blob(const std::string& repository, const std::string& digest) const;
  // Under a tag or digest; empty when there is none.
  std::string manifest(const std::string& repository, const std::string& reference) const;
  // Uploads that were begun and neither finished nor given up.
  std::size_t open_uploads() const;
  // Tokens handed out so far are no longer accepted.
  void revoke_tokens();
  int tokens_issued() const;

 private:
  struct Blob {
    std::uint64_t size = 0;
    std::shared_ptr<const std::string> content;  // null: generated, or not kept
    Generator generator;
  };
  struct Manifest {
    std::string media_type;
    std::string content;
  };
  struct Upload {
    std::uint64_t size = 0;
    std::string content;
    std::string hex_of_only_body;  // of a body that was too long to be kept
    int generation = 0;            // part of the Location, which changes with every answer
  };
  struct Repository {
    std::map<std::string, Blob> blobs;
    std::map<std::string, Manifest> manifests;  // by digest
    std::map<std::string, std::string> tags;    // to the digest
    std::map<std::string, Upload> uploads;
  };

  StoreAnswer handle_token(const ServerRequest& request, const ReceivedBody& body);
  std::optional<StoreAnswer> check_auth(const ServerRequest& request);
  StoreAnswer handle_blob(const ServerRequest& request, Repository& repository, const std::string& digest);
  StoreAnswer start_upload(const ServerRequest& request, const std::string& name, ReceivedBody& body);
  StoreAnswer handle_upload(const ServerRequest& request, const std::string& name, const std::string& id,
                            ReceivedBody& body);
  StoreAnswer patch_upload(const ServerRequest& request, const std::string& name, const std::string& id,
                           ReceivedBody& body);
  StoreAnswer finish_upload(const ServerRequest& request, const std::string& name, const std::string& id,
                            ReceivedBody& body);
  StoreAnswer upload_answer(int status, const std::string& name, const std::string& id);
  StoreAnswer handle_manifest(const ServerRequest& request, const std::string& name, const std::string& reference,
                              const ReceivedBody& body);
  StoreAnswer put_manifest(const ServerRequest& request, const std::string& name, const std::string& reference,
                           const std::string& content);
  StoreAnswer handle_tags(const ServerRequest& request, const std::string& name);
  StoreAnswer handle_referrers(const ServerRequest& request, Repository& repository, const std::string& digest);
  static void append(Upload& upload, ReceivedBody& body);

  Options options_;
  std::string base_url_;
  mutable std::mutex mutex_;
  std::map<std::string, Repository> repositories_;
  std::map<std::string, std::string> tokens_;  // token, its scopes
  int tokens_issued_ = 0;
  int next_upload_ = 0;
};

// {"errors": [{"code", "message"}]}.
StoreAnswer store_error(int status, std::string_view code, std::string_view message);

}  // namespace tektii::testing
