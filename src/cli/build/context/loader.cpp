#include "loader.hpp"

#include "cli/signals.hpp"
#include "cli/version.hpp"
#include "shown.hpp"
#include "standard_input.hpp"
#include <tektii/layer/extract.hpp>
#include <tektii/net/http.hpp>
#include <tektii/net/url.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <vector>

namespace tektii::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_max_dockerfile = 16 << 20;

bool is_http(const std::string& text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

// Gives back what was read to look at it, then the rest.
class Rejoined : public ByteSource {
 public:
  Rejoined(std::string head, ByteSource& rest) : head_(std::move(head)), rest_(rest) {}
  const std::string& head() const { return head_; }
  std::size_t read(std::span<std::byte> out) override {
    if (position_ == head_.size()) return rest_.read(out);
    const auto count = std::min(out.size(), head_.size() - position_);
    const auto bytes = as_byte_span(head_).subspan(position_, count);
    std::copy(bytes.begin(), bytes.end(), out.begin());
    position_ += count;
    return count;
  }

 private:
  std::string head_;
  std::size_t position_ = 0;
  ByteSource& rest_;
};

Rejoined look_at(ByteSource& source) {
  std::vector<std::byte> head(layer::k_archive_head);
  head.resize(read_full(source, head));
  return {std::string(reinterpret_cast<const char*>(head.data()), head.size()), source};
}

std::string read_dockerfile(ByteSource& source, const std::string& shown) {
  auto text = read_all(source, k_max_dockerfile);
  if (text.find('\0') == std::string::npos) return text;
  throw Error(ErrorKind::usage, fmt::format("{} is neither a tar archive nor a Dockerfile", shown))
      .add_hint("archives are tar files, plain or compressed by gzip, bzip2, xz or zstd");
}

// Returns the time of the newest file.
std::optional<std::int64_t> extract(ByteSource& source, const fs::path& directory, const std::string& shown,
                                    const std::stop_token& stop) {
  try {
    const auto report = layer::extract_archive(source, directory, stop);
    if (report.left_out > 0) {
      spdlog::warn("{}: {} devices and fifos are left out of the context", shown, report.left_out);
    }
    return report.newest_file > 0 ? std::optional(report.newest_file) : std::nullopt;
  } catch (Error& error) {
    if (error.kind() != ErrorKind::interrupted) error.add_context("unpack " + shown);
    throw;
  }
}

}  // namespace

struct ContextLoader::Threads {
  Threads(store::Store& the_store, ProgressMode mode, const BuildSecrets& secrets)
      : store(the_store),
        transport(net::make_curl_transport("tektii/" + std::string(product_version()))),
        sources(store, *transport, secrets),
        renderer(make_progress(mode)) {}

  // Runs a piece of work as a step that is shown.
  template <typename Work>
  auto step(const std::string& title, const Work& work) {
    const auto stop = signals.token();
    builder::ProgressStep shown(*renderer.sink, title, [stop] { return stop.stop_requested(); });
    auto result = work(stop, shown.id());
    shown.finish(builder::StepOutcome::done);
    return result;
  }

  SignalScope signals;
  store::Store& store;
  std::unique_ptr<net::HttpTransport> transport;
  StoreRemoteSources sources;
  Renderer renderer;
};

ContextLoader::ContextLoader(std::function<store::Store&()> open_store, ProgressMode progress, int standard_input)
    : open_store_(std::move(open_store)), progress_(progress), standard_input_(standard_input) {}

ContextLoader::~ContextLoader() {
  if (threads_) threads_->renderer.settle();
}

ContextLoader::Threads& ContextLoader::threads(const BuildSecrets& secrets) {
  if (!threads_) threads_ = std::make_unique<Threads>(open_store_(), progress_, secrets);
  return *threads_;
}

fs::path ContextLoader::new_directory() {
  auto directory = open_store_().next_temp_name("context");
  make_directories(directory);
  return directory;
}

Context ContextLoader::load_git(const dockerfile::GitRef& reference, const BuildSecrets& secrets) {
  auto& threads = this->threads(secrets);
  ++steps_;
  const auto title = fmt::format("load git context {}", shown_context(reference.remote));
  const auto tree =
      threads.step(title, [&](const auto& stop, int) { return threads.sources.fetch_git(reference, stop); });
  Context context;
  context.directory = tree.directory;
  context.is_local = false;
  context.is_commit = true;
  context.time = tree.commit_time;
  context.commit = tree.commit;
  return context;
}

builder::RemoteFile ContextLoader::load_file(const std::string& url, const BuildSecrets& secrets) {
  auto& threads = this->threads(secrets);
  builder::RemoteFileRequest request;
  try {
    request.url = net::Url::parse(url).str();
  } catch (const Error& error) {
    throw Error(ErrorKind::usage, error.message());
  }
  ++steps_;
  const auto title = fmt::format("load {}", shown_context(url));
  return threads.step(title, [&](const auto& stop, int step_id) {
    builder::ByteMeter meter(*threads.renderer.sink, step_id, builder::Activity::download);
    request.meter = &meter;
    return threads.sources.fetch_file(request, stop);
  });
}

// docker's rule: what is not a tar is the Dockerfile, and of a named context its only file.
Context ContextLoader::unpack_or_read(ByteSource& source, const std::string& shown, const BuildSecrets& secrets,
                                      bool is_named) {
  Context context;
  context.is_local = false;
  auto all = look_at(source);
  const auto stop = threads(secrets).signals.token();
  context.directory = new_directory();
  if (layer::looks_like_archive(as_byte_span(all.head()))) {
    context.time = extract(all, context.directory, shown, stop);
  } else if (is_named) {
    FdSink sink(open_file(context.directory / "context", O_WRONLY | O_CREAT | O_EXCL, 0600), "context");
    copy_stream(all, sink, stop);
    // Not the time of this build.
    const std::array<timespec, 2> times = {timespec{0, 0}, timespec{0, 0}};
    if (::futimens(sink.fd(), times.data()) != 0) throw_errno("set the time of " + shown);
  } else if (all.head().empty()) {
    throw Error(ErrorKind::usage, fmt::format("{} is empty", shown));
  } else {
    context.dockerfile = read_dockerfile(all, shown);
  }
  return context;
}

Context ContextLoader::load_url(const std::string& url, const BuildSecrets& secrets, bool is_named) {
  const auto file = load_file(url, secrets);
  const auto source = open_source(file.path);
  auto context = unpack_or_read(*source, shown_context(url), secrets, is_named);
  if (file.last_modified) context.time = file.last_modified;
  return context;
}

Context ContextLoader::load(const std::string& text, const BuildSecrets& secrets, bool keep_git_dir) {
  std::error_code failure;
  if (text == "-") {
    const auto source = open_standard_input(standard_input_, "the context", threads(secrets).signals.token());
    return unpack_or_read(*source, "standard input", secrets, false);
  }
  if (fs::is_directory(text, failure)) {
    Context context;
    context.directory = fs::canonical(text);
    return context;
  }
  if (auto reference = dockerfile::parse_git_ref(text, true)) {
    if (keep_git_dir) reference->keep_git_dir = true;
    return load_git(*reference, secrets);
  }
  if (is_http(text)) return load_url(text, secrets, false);
  Error error(ErrorKind::usage, fmt::format("context {} {}", shown_context(text),
                                            fs::exists(text, failure) ? "is not a directory" : "does not exist"));
  error.add_hint(
      "a context is a directory, a git repository (https://.../a.git#ref:subdir, git@host:a.git), the URL of "
      "a tar archive or Dockerfile, or - for one of these on standard input");
  throw error;
}

std::optional<Context> ContextLoader::load_named(const std::string& text, const BuildSecrets& secrets) {
  if (const auto reference = dockerfile::parse_git_ref(text)) return load_git(*reference, secrets);
  if (!is_http(text)) return std::nullopt;
  return load_url(text, secrets, true);
}

std::string ContextLoader::read_standard_input(const std::string& what) {
  std::optional<SignalScope> signals;
  const auto stop = threads_ ? threads_->signals.token() : signals.emplace().token();
  const auto source = open_standard_input(standard_input_, what, stop);
  auto text = read_dockerfile(*source, "standard input");
  if (text.empty()) throw Error(ErrorKind::usage, fmt::format("standard input is empty: {} was expected", what));
  return text;
}

std::string ContextLoader::read_url(const std::string& url, const BuildSecrets& secrets) {
  const auto source = open_source(load_file(url, secrets).path);
  return read_dockerfile(*source, shown_context(url));
}

}  // namespace tektii::cli
