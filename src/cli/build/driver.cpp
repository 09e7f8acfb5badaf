#include "driver.hpp"

#include "caches.hpp"
#include "cli/build/cache_areas.hpp"
#include "cli/build/cache_limit.hpp"
#include "cli/build/context/loader.hpp"
#include "cli/build/remote_sources.hpp"
#include "cli/progress/build_times.hpp"
#include "cli/progress/progress.hpp"
#include "cli/version.hpp"
#include "document_cache.hpp"
#include "early_push.hpp"
#include "image_opener.hpp"
#include "locked_sources.hpp"
#include "push.hpp"
#include "streamed_blobs.hpp"
#include <tektii/exec/user_namespace.hpp>
#include <tektii/layer/archive.hpp>
#include <tektii/net/http.hpp>
#include <tektii/registry/client.hpp>
#include <tektii/store/gc.hpp>
#include <tektii/store/layout.hpp>
#include <tektii/store/stat_cache.hpp>
#include <tektii/store/store.hpp>
#include <tektii/util/clock.hpp>
#include <tektii/util/hash.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

namespace tektii::cli {
namespace {

class NoProgress : public builder::ProgressSink {
 public:
  int step_started(std::string_view) override { return 0; }
  void step_output(int, std::string_view) override {}
  void step_progress(int, const builder::StepProgress&) override {}
  void step_finished(int, builder::StepOutcome, std::chrono::milliseconds) override {}
};

}  // namespace

struct BuildDriver::Impl {
  explicit Impl(const BuildOptions& options)
      : cache_limit(configured_cache_limit()),
        progress_mode(parse_progress_mode(options.progress)),
        early_push_allowed(options.early_push),
        wants_summary(options.summary && progress_mode != ProgressMode::json),
        inputs(load(options)),
        unavailable(options.builds_nothing ? std::nullopt : enter()),
        store(open_store()),
        stat_cache(stat_cache_file(), std::chrono::nanoseconds(SystemClock().now().time_since_epoch()).count()),
        snapshots(store.root() / "layers" / "v1", store, &store.marks()),
        executor(exec::make_userns_executor(unavailable)),
        transport(net::make_curl_transport("tektii/" + std::string(product_version()))),
        docker_credentials(registry::make_docker_config_credentials()),
        client(std::make_unique<registry::RegistryClient>(
            registry::RegistryDeps{*transport, *docker_credentials, nullptr, {}, keep_documents_in(store)})),
        opener(make_image_opener(*client)),
        remote(store, *transport, inputs.request.secrets) {
    if (!inputs.lock) return;
    opener = open_locked(std::move(opener), lock_rules(), inputs.request);
    locked_remote.emplace(remote, lock_rules());
  }

  LockRules lock_rules() const { return {*inputs.lock, inputs.lock_name}; }

  // Images are held against the lock when they are looked up, before the first step; so are these.
  void require_lock(const std::stop_token& stop) {
    if (!inputs.lock) return;
    NoProgress silent;  // the build looks the images up again, which costs no request, and shows it
    auto quiet = deps(silent);
    require_locked(builder::list_sources(inputs.request, quiet, stop), lock_rules());
  }

  // A context that is not a directory is kept in the store, which is opened early for it.
  store::Store& open_store() {
    if (!store_owner) store_owner.emplace(store::Store::default_root());
    return *store_owner;
  }

  // One file per context directory, so that each build reads what it needs.
  std::filesystem::path stat_cache_file() {
    return store.root() / "stat" / "v1" / Sha256::hex_of(inputs.request.context.string());
  }

  // Only saves work of the next build.
  void save_stat_cache() {
    try {
      stat_cache.save();
    } catch (const Error& error) {
      spdlog::debug("the stat cache is not saved: {}", error.what());
    }
  }

  // The loader has threads, and is gone when this returns: namespaces are entered with one thread.
  BuildInputs load(const BuildOptions& options) {
    ContextLoader loader([this]() -> store::Store& { return open_store(); }, progress_mode);
    auto read = read_build_inputs(options, loader);
    steps_before = loader.steps();
    return read;
  }

  std::optional<exec::Unavailable> enter() {
    if (!inputs.may_run_commands) {
      return exec::Unavailable{"no step of this build needs it", {}};
    }
    auto missing = exec::enter_build_namespace();
    if (missing) {
      spdlog::info("RUN is not possible here: {}", missing->reason);
    } else {
      spdlog::info("RUN uses the userns tier");
    }
    return missing;
  }

  // The renderer has a thread, so it starts after the namespaces were entered, when the first step begins.
  builder::ProgressSink& progress() {
    if (!renderer.sink) renderer = make_progress(progress_mode, steps_before);
    if (!wants_summary) return *renderer.sink;
    if (!times) times.emplace(*renderer.sink);
    return *times;
  }

  builder::BuildDeps deps() { return deps(progress()); }
  builder::BuildDeps deps(builder::ProgressSink& sink) {
    builder::BuildDeps deps{store, store, snapshots, *executor, opener, sink, &remote};
    if (locked_remote) deps.remote = &*locked_remote;
    deps.cache_mounts = store.root() / "mounts" / "v1";
    deps.stat_cache = &stat_cache;
    deps.caches = open_caches(inputs.caches.from, *client);
    deps.marks = &store.marks();
    return deps;
  }
  registry::RegistryClient& push_client() { return own_client ? *own_client : *client; }

  store::CacheLimit cache_limit;
  ProgressMode progress_mode;
  bool early_push_allowed;
  bool wants_summary;
  std::optional<store::Store> store_owner;
  int steps_before = 0;  // shown while the contexts were loaded
  BuildInputs inputs;
  std::optional<exec::Unavailable> unavailable;
  store::Store& store;
  store::StatCache stat_cache;
  layer::Snapshots snapshots;
  std::unique_ptr<exec::Executor> executor;
  std::unique_ptr<net::HttpTransport> transport;
  std::unique_ptr<registry::CredentialSource> docker_credentials;
  std::unique_ptr<registry::RegistryClient> client;
  oci::ImageOpener opener;
  StoreRemoteSources remote;
  std::optional<LockedRemoteSources> locked_remote;
  std::unique_ptr<registry::CredentialSource> own_credentials;
  std::unique_ptr<registry::RegistryClient> own_client;  // for pushes, when use_credentials() was called
  Renderer renderer;
  std::optional<BuildTimes> times;
  std::optional<StreamedBlobs> streamed_blobs;
  std::unique_ptr<EarlyPush> early_push;  // from a build to its push; last: its threads use the others
};

BuildDriver::BuildDriver(const BuildOptions& options) : impl_(std::make_unique<Impl>(options)) {}
BuildDriver::~BuildDriver() = default;

builder::BuildRequest& BuildDriver::request() {
  return impl_->inputs.request;
}

void BuildDriver::check(const std::stop_token& stop) {
  impl_->require_lock(stop);
  builder::check_build(impl_->inputs.request, impl_->deps(), stop);
  builder::require_no_warnings(impl_->inputs.request, impl_->opener, stop);
}

builder::DockerfileCheck BuildDriver::check_dockerfile(const std::stop_token& stop) {
  return builder::check_dockerfile(impl_->inputs.request, impl_->opener, stop);
}

builder::BuildResult BuildDriver::build(const std::stop_token& stop) {
  impl_->require_lock(stop);
  auto result = builder::build_image(impl_->inputs.request, impl_->deps(), stop);
  impl_->save_stat_cache();
  return result;
}

builder::BuildResult BuildDriver::build_for_push(const std::vector<oci::ImageReference>& references,
                                                 const std::stop_token& stop) {
  impl_->require_lock(stop);
  std::stop_source either;
  const std::stop_callback forward(stop, [&] { either.request_stop(); });
  const auto end_build = [either]() mutable { either.request_stop(); };
  auto deps = impl_->deps();
  impl_->early_push = std::make_unique<EarlyPush>(
      EarlyPush::Deps{impl_->push_client(), impl_->store, impl_->progress(), end_build}, references, stop);
  if (impl_->early_push_allowed) {
    impl_->streamed_blobs.emplace(impl_->store, [&push = *impl_->early_push](const auto& blob) { push.stream(blob); });
    deps.image_blobs = &*impl_->streamed_blobs;
    deps.layer_sealed = [&push = *impl_->early_push](const oci::Layer& layer, const builder::EnsureBlob& ensure) {
      push.add(layer, ensure);
    };
  }
  try {
    auto result = builder::build_image(impl_->inputs.request, deps, either.get_token());
    impl_->save_stat_cache();
    return result;
  } catch (const Error& error) {
    const auto push = std::exchange(impl_->early_push, nullptr);
    // The build was stopped because the push failed: that error is the one to show.
    if (error.kind() == ErrorKind::interrupted && !stop.stop_requested()) push->settle();
    throw;
  }
}

LockFile BuildDriver::lock(const LockFile& kept, const std::stop_token& stop) {
  const LockRules rules{kept, "the lock file", false};
  auto deps = impl_->deps();
  deps.open_image = open_locked(impl_->opener, rules, impl_->inputs.request);
  const auto sources = builder::list_sources(impl_->inputs.request, deps, stop);
  return lock_sources(sources, kept, impl_->remote, impl_->progress(), stop);
}

void BuildDriver::write_outputs(const builder::BuildResult& result, const std::vector<oci::ImageReference>& references,
                                const std::stop_token& stop) {
  for (const auto& output : impl_->inputs.outputs) {
    builder::ProgressStep step(impl_->progress(), fmt::format("write {}", output.destination.string()),
                               [stop] { return stop.stop_requested(); });
    step.begin(builder::Activity::write_output);
    for (const auto& layer : result.image.layers) result.ensure_blob(layer, stop);
    if (output.kind == OutputSpec::Kind::oci_archive) {
      std::vector<std::string> names;
      for (const auto& reference : references) names.push_back(reference.str());
      layer::write_oci_archive(output.destination, result.image, impl_->store, names,
                               result.attested ? &*result.attested : nullptr);
    } else if (references.empty()) {
      put_image(result, *store::open_layout_target(output.destination, ""), impl_->store, stop);
    } else {
      for (const auto& reference : references) {
        const auto target = store::open_layout_target(output.destination, reference.tag, reference.str());
        put_image(result, *target, impl_->store, stop);
      }
    }
    step.finish(builder::StepOutcome::done);
  }
}

void BuildDriver::keep_in_store(const builder::BuildResult& result, const std::vector<oci::ImageReference>& references,
                                const std::stop_token& stop) {
  if (references.empty()) return;
  // An image of the store is whole, also when other processes remove what was not used for long: what is there is
  // marked by asking for it, what is not is put there.
  for (const auto& layer : result.image.layers) result.ensure_blob(layer, stop);
  for (const auto* blob : {&result.image.config, &result.image.manifest}) {
    const auto size = impl_->store.size_of(blob->digest);
    if (size && *size != blob->size) impl_->store.discard(blob->digest);
  }
  // The store holds images of many names, so the whole name is the tag.
  for (const auto& reference : references) {
    const auto target = store::open_layout_target(impl_->store.root(), reference.str(), reference.str());
    put_image(result, *target, impl_->store, stop);
  }
}

void BuildDriver::push(const builder::BuildResult& result, const std::vector<oci::ImageReference>& references,
                       const std::stop_token& stop) {
  if (impl_->early_push) impl_->early_push->settle();
  const PushTo to{references, [&early = impl_->early_push](const oci::ImageReference& reference) {
                    return early && early->sent_to(reference);
                  }};
  push_image(result, to, impl_->push_client(), impl_->store, impl_->progress(), stop);
  impl_->early_push.reset();
}

std::vector<std::string> BuildDriver::export_caches(const builder::BuildResult& result,
                                                    const std::vector<oci::ImageReference>& pushed,
                                                    const std::stop_token& stop) {
  std::vector<std::string> warnings;
  for (const auto& spec : impl_->inputs.caches.to) {
    const CacheExportDeps deps{*impl_->client, impl_->store, impl_->progress()};
    if (auto warning = export_cache(spec, result, pushed, deps, stop)) warnings.push_back(std::move(*warning));
  }
  return warnings;
}

void BuildDriver::collect_garbage(const std::stop_token& stop) {
  try {
    SystemClock clock;
    store::GarbageCollector collector(impl_->store, cache_areas(), clock);
    const auto result = collector.collect(impl_->cache_limit, stop);
    if (!result) return;
    if (result->freed > 0) {
      spdlog::info("{} were removed from the cache, {} are left", format_bytes(result->freed),
                   format_bytes(result->left));
    }
    for (const auto& failure : result->failures) spdlog::warn("the cache could not be cleared of {}", failure);
  } catch (const std::exception& error) {
    // The image is where it should be. Whoever interrupts now has it too.
    if (!stop.stop_requested()) spdlog::warn("the cache could not be cleared: {}", error.what());
  }
}

void BuildDriver::settle() {
  impl_->renderer.settle();
}

std::string BuildDriver::summary() const {
  return impl_->times ? impl_->times->table() : std::string{};
}

void BuildDriver::use_credentials(const std::string& registry, registry::Credentials credentials) {
  impl_->own_client.reset();
  impl_->own_credentials =
      registry::make_fixed_credentials(registry, std::move(credentials), impl_->docker_credentials.get());
  impl_->own_client =
      std::make_unique<registry::RegistryClient>(registry::RegistryDeps{*impl_->transport, *impl_->own_credentials});
}

}  // namespace tektii::cli
