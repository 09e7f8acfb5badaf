#include "cli/commands/image_builder.hpp"

#include "cli/build/driver.hpp"
#include "cli/build/healing.hpp"
#include "cli/commands/build.hpp"
#include "cli/git_command.hpp"
#include <tektii/util/clock.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/process.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <utility>

namespace tektii::cli {

namespace {

// The URL of the context's remote, without credentials that somebody may have put into it; empty when there is none.
std::string source_url(const std::filesystem::path& context) {
  const auto result = run_process(git_command(context, {"remote", "get-url", "origin"}));
  if (result.not_found || result.exit_code != 0) return {};
  std::string url(trim(result.out));
  const auto scheme = url.find("://");
  if (scheme == std::string::npos) return {};  // a path of this machine, or an scp-like name: no URL
  const auto at = url.find('@', scheme);
  const auto slash = url.find('/', scheme + 3);
  if (at != std::string::npos && (slash == std::string::npos || at < slash)) url.erase(scheme + 3, at - scheme - 2);
  return url.rfind("http", 0) == 0 || url.rfind("ssh", 0) == 0 ? url : std::string{};
}

// What is printed after a phase of the build, an error included, comes below its progress.
class SettleAtEnd {
 public:
  explicit SettleAtEnd(BuildDriver& driver) : driver_(driver) {}
  SettleAtEnd(const SettleAtEnd&) = delete;
  SettleAtEnd& operator=(const SettleAtEnd&) = delete;
  ~SettleAtEnd() { driver_.settle(); }

 private:
  BuildDriver& driver_;
};

class DriverImageBuilder : public ImageBuilder {
 public:
  explicit DriverImageBuilder(CommandContext& context) : context_(context) {}

  void add_options(CLI::App& command) override { add_build_options(command, options_); }

  void prepare(const UploadInputs& inputs) override {
    options_.context = inputs.context.string();
    options_.file = inputs.dockerfile.string();
    options_.file_flag = "--dockerfile";
    set_display(options_, context_);
    driver_ = std::make_unique<BuildDriver>(options_);
    auto& request = driver_->request();
    // What --annotation says wins.
    request.annotations.emplace("org.opencontainers.image.revision", inputs.git_sha);
    request.annotations.emplace("org.opencontainers.image.created", format_rfc3339(request.created));
    if (const auto url = source_url(inputs.context); !url.empty()) {
      request.annotations.emplace("org.opencontainers.image.source", url);
    }
    const SettleAtEnd settle(*driver_);
    driver_->check(context_.stop());
  }

  oci::Digest build_and_push(const oci::ImageReference& reference, const registry::Credentials& credentials,
                             const std::function<void(UploadPhase)>& on_phase) override {
    const auto stop = context_.stop();
    const SettleAtEnd settle(*driver_);
    driver_->use_credentials(reference.registry, credentials);
    bool again = false;
    const auto digest = with_healing(context_.terminal, [&] {
      const auto result = driver_->build_for_push({reference}, stop);
      driver_->settle();
      // Said once; what heals the store comes to the same image.
      const bool say = !std::exchange(again, true);
      if (say) print_warnings(result, context_.terminal);
      if (say) on_phase(UploadPhase::verifying);
      if (result.config.platform != oci::Platform{}) {
        throw Error(ErrorKind::platform_mismatch, fmt::format("Image platform mismatch (expected linux/amd64, got {})",
                                                              result.config.platform.str()));
      }
      // Before the push: a cache that can't be written leaves no version that is half there.
      const auto cache_warnings = driver_->export_caches(result, {}, stop);
      driver_->settle();
      for (const auto& warning : cache_warnings) context_.terminal.warning(warning);
      if (say) on_phase(UploadPhase::pushing);
      driver_->push(result, {reference}, stop);
      return result.image.manifest.digest;
    });
    print_summary(*driver_, context_.terminal);
    driver_->collect_garbage(stop);
    return digest;
  }

 private:
  CommandContext& context_;
  BuildOptions options_;
  std::unique_ptr<BuildDriver> driver_;
};

}  // namespace

std::unique_ptr<ImageBuilder> make_image_builder(CommandContext& context) {
  return std::make_unique<DriverImageBuilder>(context);
}

}  // namespace tektii::cli
