#include "cli/transfer_options.hpp"

#include "cli/build/cache_limit.hpp"
#include <tektii/oci/reference.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

namespace tektii::cli {

namespace {

constexpr std::uint64_t k_least_chunk = 64 << 10;
constexpr std::chrono::seconds k_short_pause(1);

// As in references: the first part is a host when it has a dot or a colon, or is localhost.
oci::BlobOrigin parse_mount_source(const std::string& text) {
  const auto slash = text.find('/');
  const std::string first = text.substr(0, slash);
  const bool has_host =
      slash != std::string::npos && (first.find_first_of(".:") != std::string::npos || first == "localhost");
  try {
    const auto reference = oci::ImageReference::parse(has_host ? text : "example.com/" + text);
    return {has_host ? reference.registry : std::string(), reference.repository};
  } catch (const Error&) {
    throw Error(ErrorKind::usage, fmt::format("--mount-from {}: this is no repository", text))
        .add_hint("use the name of a repository of the registry that is pushed to, such as team/app");
  }
}

}  // namespace

void add_retry_option(CLI::App& command, TransferFlags& flags) {
  command
      .add_option("--retry-timeout", flags.retry_timeout,
                  "Time that may be lost to failures of registries, all requests together, before it is given up")
      ->capture_default_str();
}

void add_transfer_options(CLI::App& command, TransferFlags& flags) {
  add_retry_option(command, flags);
  command.add_option("--push-chunk-size", flags.push_chunk_size,
                     "Push larger blobs in chunks of this size, such as 50MB [default: in one piece]");
  command
      .add_option("--mount-from", flags.mount_from,
                  "Repository of the same registry to take blobs from instead of sending them, repeatable")
      ->allow_extra_args(false);
}

registry::TransferOptions read_transfer_options(const TransferFlags& flags) {
  registry::TransferOptions options;
  const auto timeout = parse_duration(flags.retry_timeout == "0" ? "0s" : flags.retry_timeout);
  if (!timeout) {
    throw Error(ErrorKind::usage, fmt::format("--retry-timeout {}: this is no duration", flags.retry_timeout))
        .add_hint("use one such as 90s, 5m or 1h; 0 gives up at the first failure");
  }
  options.retry_timeout = *timeout;
  if (!flags.push_chunk_size.empty()) {
    const auto size = parse_size(flags.push_chunk_size);
    if (!size || *size < k_least_chunk) {
      throw Error(ErrorKind::usage,
                  fmt::format("--push-chunk-size {}: this is no size of a chunk", flags.push_chunk_size))
          .add_hint("use one such as 50MB or 8MiB, at least 64KiB");
    }
    options.push_chunk_size = size;
  }
  for (const auto& source : flags.mount_from) options.mount_from.push_back(parse_mount_source(source));
  return options;
}

std::string describe_wait(const registry::WaitNotice& notice) {
  const std::string pause = format_duration(notice.pause.count());
  if (notice.asked_by_server)
    return fmt::format("registry {} asks to wait {} ({})", notice.registry, pause, notice.reason);
  if (notice.pause < k_short_pause) return {};
  return fmt::format("registry {} is tried again in {} ({})", notice.registry, pause, notice.reason);
}

}  // namespace tektii::cli
