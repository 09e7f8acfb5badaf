#include "api/caller.hpp"
#include "api/decode.hpp"
#include "api/download.hpp"
#include <tektii/api/client.hpp>

#include <nlohmann/json.hpp>

#include <utility>

namespace tektii::api {

namespace {

Query query_of(const ListRequest& request) {
  Query query;
  if (request.limit) query.emplace_back("limit", std::to_string(*request.limit));
  if (!request.cursor.empty()) query.emplace_back("cursor", request.cursor);
  return query;
}

template <typename T>
Answer<T> answer(T (*decode)(std::string_view), std::string json) {
  return {decode(json), std::move(json)};
}

// Text that is not UTF-8 (a name typed in another encoding) must not end the program.
std::string dump(const nlohmann::json& document) {
  return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

struct Client::Impl {
  Caller caller;
};

Client::Client(ClientOptions options, ClientDeps deps)
    : impl_(std::make_unique<Impl>(Impl{Caller(std::move(options), deps)})) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;

Answer<Strategy> Client::create_strategy(const std::string& name, const std::stop_token& stop) {
  const std::string body = dump({{"name", name}});
  return answer(decode_strategy, impl_->caller.send({Endpoint::create_strategy, {}, {}, body}, stop));
}

Answer<Page<Strategy>> Client::list_strategies(const ListRequest& request, const std::stop_token& stop) {
  return answer(decode_strategies, impl_->caller.send({Endpoint::list_strategies, {}, query_of(request)}, stop));
}

Answer<Strategy> Client::get_strategy(const std::string& strategy, const std::stop_token& stop) {
  return answer(decode_strategy, impl_->caller.send({Endpoint::get_strategy, {strategy, {}, {}}}, stop));
}

Answer<VersionUpload> Client::create_version(const std::string& strategy, const VersionRequest& request,
                                             const std::stop_token& stop) {
  nlohmann::json body = nlohmann::json::object();
  if (!request.git_sha.empty()) body["gitSha"] = request.git_sha;
  if (!request.parent_version_id.empty()) body["parentVersionId"] = request.parent_version_id;
  if (!request.template_name.empty()) body["template"] = request.template_name;
  std::string json = impl_->caller.send({Endpoint::create_version, {strategy, {}, {}}, {}, dump(body)}, stop);
  return {decode_version_upload(json, !request.template_name.empty()), std::move(json)};
}

Answer<Page<Version>> Client::list_versions(const std::string& strategy, const ListRequest& request,
                                            const std::stop_token& stop) {
  const Call call{Endpoint::list_versions, {strategy, {}, {}}, query_of(request)};
  return answer(decode_versions, impl_->caller.send(call, stop));
}

Answer<Version> Client::get_version(const std::string& strategy, const std::string& version,
                                    const std::stop_token& stop) {
  return answer(decode_version, impl_->caller.send({Endpoint::get_version, {strategy, version, {}}}, stop));
}

bool Client::confirm_version(const std::string& strategy, const std::string& version, const std::stop_token& stop) {
  return impl_->caller.send_if_known({Endpoint::confirm_version, {strategy, version, {}}}, stop);
}

Answer<Scenario> Client::create_scenario(const std::string& strategy, const ScenarioConfig& config,
                                         const std::stop_token& stop) {
  const Call call{Endpoint::create_scenario, {strategy, {}, {}}, {}, config.json()};
  return answer(decode_scenario, impl_->caller.send(call, stop));
}

Answer<Page<Scenario>> Client::list_scenarios(const std::string& strategy, const ListRequest& request,
                                              const std::stop_token& stop) {
  const Call call{Endpoint::list_scenarios, {strategy, {}, {}}, query_of(request)};
  return answer(decode_scenarios, impl_->caller.send(call, stop));
}

Answer<Scenario> Client::get_scenario(const std::string& strategy, const std::string& scenario,
                                      const std::stop_token& stop) {
  return answer(decode_scenario, impl_->caller.send({Endpoint::get_scenario, {strategy, {}, scenario}}, stop));
}

Answer<Scenario> Client::cancel_scenario(const std::string& strategy, const std::string& scenario,
                                         const std::stop_token& stop) {
  return answer(decode_scenario, impl_->caller.send({Endpoint::cancel_scenario, {strategy, {}, scenario}}, stop));
}

void Client::download_results(const std::string& strategy, const std::string& scenario, ResultType type, ByteSink& sink,
                              const DownloadProgress& progress, const std::stop_token& stop) {
  const std::string name(k_result_types[static_cast<std::size_t>(type)]);
  download(impl_->caller, {Endpoint::get_results, {strategy, {}, scenario, name}}, sink, progress, stop);
}

Answer<Page<Instrument>> Client::list_instruments(const InstrumentFilter& filter, const std::stop_token& stop) {
  Query query;
  if (!filter.market.empty()) query.emplace_back("market", filter.market);
  if (!filter.status.empty()) query.emplace_back("status", filter.status);
  return answer(decode_instruments, impl_->caller.send({Endpoint::list_instruments, {}, query}, stop));
}

std::string Client::call(const RawCall& call, const std::stop_token& stop) {
  return impl_->caller.send_raw(call, stop);
}

}  // namespace tektii::api
