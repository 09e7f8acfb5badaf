#pragma once

#include <tektii/oci/reference.hpp>
#include <tektii/util/secret.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::api {

// The values of the platform. Ids are opaque; times are kept as the API wrote them (RFC 3339); a field that the answer
// does not carry is empty.

struct Strategy {
  std::string id;
  std::string name;
  std::string owner_id;
  std::string created_by;
  std::string created_at;
  std::string updated_at;
};

struct Version {
  std::string id;
  std::string strategy_id;
  std::string git_sha;
  std::string parent_version_id;
  std::string template_name;
  std::string status;
  std::string image;
  std::string created_at;
};

// Where the image of a new version goes. The token is short-lived. A version made from a template has neither.
struct VersionUpload {
  std::string version_id;
  std::string repository_url;
  Secret access_token;
};

struct Metric {
  std::string name;  // as in the API: "totalReturn"
  double value = 0;
};

struct Scenario {
  std::string id;
  std::string strategy_id;
  std::string strategy_version_id;
  std::string state;  // PENDING, RUNNING, COMPLETE, FAILED, CANCELLED
  std::string start_time;
  std::string end_time;
  std::string created_at;
  std::string completed_at;
  std::string failure;          // why a FAILED run failed
  bool simulated = false;       // the result of a sandbox, not of a backtest
  std::vector<Metric> metrics;  // of a finished run; the well-known ones first

  bool finished() const { return state == "COMPLETE" || state == "FAILED" || state == "CANCELLED"; }
  std::optional<double> metric(std::string_view name) const;
};

// What can be traded in a scenario.
struct Instrument {
  std::string symbol;  // "C:BTCUSD"
  std::string name;
  std::string market;
  std::string status;                      // "available", else it can't be used
  std::vector<std::string> granularities;  // of its candles: "1m", "1d"

  bool available() const { return status.empty() || status == "available"; }
};

struct InstrumentFilter {
  std::string market;  // empty: any
  std::string status;
};

// The three documents that a finished scenario leaves.
enum class ResultType { metadata, timeseries, trades };
inline constexpr std::string_view k_result_types[] = {"metadata", "timeseries", "trades"};

// A typed answer and the JSON text it was read from, byte for byte.
template <typename T>
struct Answer {
  T value;
  std::string json;
};

template <typename T>
struct Page {
  std::vector<T> items;
  std::string next_cursor;  // empty on the last page
};

struct ListRequest {
  std::optional<int> limit;
  std::string cursor;
};

struct VersionRequest {
  std::string git_sha;            // empty: not sent
  std::string parent_version_id;  // empty: none
  std::string template_name;      // empty: the image is built and pushed by the client
};

// The reference to push the image of a new version to. The platform first answered with a repository that is tagged
// with the version id, later with the full reference; both come with or without a scheme. Throws Error{network} when
// the address makes no reference.
oci::ImageReference upload_reference(const VersionUpload& upload);

// What the registry behind the platform (Google Artifact Registry) takes as the user name beside an access token.
inline constexpr std::string_view k_registry_user = "oauth2accesstoken";

}  // namespace tektii::api
