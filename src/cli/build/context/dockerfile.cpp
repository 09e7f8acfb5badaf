#include "dockerfile.hpp"

#include "shown.hpp"
#include <tektii/fs/read_inside.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <optional>

namespace tektii::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_default_name = "Dockerfile";
constexpr const char* k_ignore_name = ".dockerignore";
constexpr const char* k_ignore_suffix = ".dockerignore";
constexpr std::size_t k_max_file = 16 << 20;

bool is_url(const std::string& text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

// A file of a context that somebody else made.
std::optional<std::string> read_inside(const fs::path& root, const std::string& path) {
  return tektii::fs::read_inside(root, path, k_max_file);
}

std::optional<std::string> read_own(const fs::path& path) {
  std::error_code failure;
  if (!fs::is_regular_file(path, failure)) return std::nullopt;
  return read_file(path, k_max_file);
}

[[noreturn]] void fail_missing(const DockerfileChoice& choice, const std::string& shown) {
  throw Error(ErrorKind::usage, fmt::format("Dockerfile not found at {}", shown))
      .add_hint(fmt::format("use {} to name another file", choice.file_flag));
}

void set_dockerfile(builder::BuildRequest& request, std::string text, const fs::path& path) {
  request.dockerfile_text = std::move(text);
  request.dockerfile_name = path.filename().string();
}

void set_ignore(builder::BuildRequest& request, std::string text, const fs::path& path) {
  request.ignore_text = std::move(text);
  request.ignore_name = path.filename().string();
}

// BuildKit takes the name without a capital letter too (moby/moby#10858).
std::string other_spelling(const fs::path& path) {
  return path.filename() == k_default_name ? (path.parent_path() / "dockerfile").string() : std::string();
}

// A path of this machine, as written by the user: that is what the documented error shows.
void read_from_machine(const DockerfileChoice& choice, const std::string& path, builder::BuildRequest& request) {
  std::error_code failure;
  if (fs::is_directory(path, failure)) {
    throw Error(ErrorKind::usage, fmt::format("{} is a directory, not a Dockerfile", path));
  }
  for (const auto& candidate : {path, other_spelling(path)}) {
    if (candidate.empty() || !fs::exists(candidate, failure)) continue;
    set_dockerfile(request, read_file(candidate), candidate);
    if (auto ignore = read_own(candidate + k_ignore_suffix)) {
      set_ignore(request, std::move(*ignore), candidate + k_ignore_suffix);
    }
    return;
  }
  fail_missing(choice, shown_context(path));
}

void read_from_context(const DockerfileChoice& choice, const fs::path& directory, const std::string& path,
                       builder::BuildRequest& request) {
  for (const auto& candidate : {path, other_spelling(path)}) {
    if (candidate.empty()) continue;
    auto text = read_inside(directory, candidate);
    if (!text) continue;
    set_dockerfile(request, std::move(*text), candidate);
    if (auto ignore = read_inside(directory, candidate + k_ignore_suffix)) {
      set_ignore(request, std::move(*ignore), candidate + k_ignore_suffix);
    }
    return;
  }
  const auto where = choice.context == "-" ? "the archive on standard input" : shown_context(choice.context);
  fail_missing(choice, fmt::format("{} in {}", escape_control(path), where));
}

void read_text(const DockerfileChoice& choice, const Context& context, ContextLoader& loader,
               builder::BuildRequest& request) {
  if (context.dockerfile) {
    if (!choice.file.empty()) {
      throw Error(ErrorKind::usage, fmt::format("ambiguous Dockerfile: the context {} is one itself, and {} names "
                                                "another",
                                                shown_context(choice.context), choice.file_flag));
    }
    return set_dockerfile(request, *context.dockerfile, k_default_name);
  }
  if (choice.file == "-") {
    return set_dockerfile(request, loader.read_standard_input("the Dockerfile"), k_default_name);
  }
  if (is_url(choice.file)) {
    return set_dockerfile(request, loader.read_url(choice.file, request.secrets), k_default_name);
  }
  if (!context.is_local && !fs::path(choice.file).is_absolute()) {
    return read_from_context(choice, context.directory, choice.file.empty() ? k_default_name : choice.file, request);
  }
  if (!choice.file.empty()) return read_from_machine(choice, choice.file, request);
  const auto own = choice.context == "." ? "./Dockerfile" : (fs::path(choice.context) / k_default_name).string();
  read_from_machine(choice, own, request);
}

}  // namespace

void check_choice(const DockerfileChoice& choice) {
  if (choice.context != "-" || choice.file != "-") return;
  throw Error(ErrorKind::usage, "the context and the Dockerfile can't both come from standard input")
      .add_hint(fmt::format("put the Dockerfile into the archive, and name it with {}", choice.file_flag));
}

void read_dockerfile(const DockerfileChoice& choice, const Context& context, ContextLoader& loader,
                     builder::BuildRequest& request) {
  bool has_own_ignore = false;
  request.ignore_name.clear();
  read_text(choice, context, loader, request);
  has_own_ignore = !request.ignore_name.empty();
  if (has_own_ignore) return;
  request.ignore_name = k_ignore_name;
  auto ignore =
      context.is_local ? read_own(context.directory / k_ignore_name) : read_inside(context.directory, k_ignore_name);
  if (ignore) request.ignore_text = std::move(*ignore);
}

}  // namespace tektii::cli
