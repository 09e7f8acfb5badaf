#include "check_copy.hpp"

#include "accounts.hpp"
#include "copy_filter.hpp"
#include "copy_inputs.hpp"
#include "remote_source.hpp"
#include <tektii/dockerfile/values.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <string>

namespace tektii::builder {
namespace {

class CopyChecker {
 public:
  CopyChecker(const CopyCheck& check, const dockerfile::Copy& copy) : check_(check), copy_(copy) {}

  void run() {
    check_owner_and_mode();
    for (const auto& pattern : copy_.exclude) {
      at(pattern, [&] { CopyFilter(std::nullopt, {pattern}); });
    }
    if (copy_.checksum) checksum_ = known(*copy_.checksum);
    if (checksum_ && checksum_->empty()) checksum_.reset();
    for (const auto& word : copy_.sources) {
      const auto value = known(word);
      if (value) at(word, [&] { check_source(*value); });
    }
    for (const auto& heredoc : copy_.heredocs) {
      at(heredoc.name, [&] { check_heredoc_name(heredoc.name); });
    }
  }

 private:
  // nullopt when it depends on what is not known yet.
  std::optional<std::string> known(const std::string& word) const {
    return expand_if_known(check_.file, check_.instruction, word, check_.variables);
  }

  // Errors of `action` point at the word.
  void at(const std::string& word, const std::function<void()>& action) const {
    try {
      action();
    } catch (Error& error) {
      if (!error.span()) error.set_span(check_.file.span(check_.instruction.lines, word));
      throw;
    }
  }

  void check_owner_and_mode() const {
    if (copy_.chmod) {
      at(*copy_.chmod, [&] {
        const auto mode = known(*copy_.chmod);
        if (mode && !mode->empty()) dockerfile::parse_chmod(*mode);
      });
    }
    if (copy_.chown && copy_.link.value_or(false)) {
      const auto owner = known(*copy_.chown);
      at(*copy_.chown, [&] {
        if (owner) check_link_owner(*owner);
      });
    }
  }

  void check_source(const std::string& word) const {
    auto reference = parse_add_reference(word);
    switch (reference.kind) {
      case AddReference::Kind::path:
        return check_path(word);
      case AddReference::Kind::git:
        if (!copy_.is_add) refuse_remote("a git reference");
        apply_git_flags(reference.git, copy_.keep_git_dir, checksum_);
        break;
      case AddReference::Kind::url:
        if (!copy_.is_add) refuse_remote("a URL");
        if (checksum_) at(*copy_.checksum, [&] { parse_file_checksum(*checksum_); });
        break;
    }
    if (check_.deps.remote == nullptr) {
      throw Error(ErrorKind::usage, fmt::format("{} can't be fetched here", word));
    }
  }

  [[noreturn]] static void refuse_remote(const char* what) {
    throw Error(ErrorKind::usage, fmt::format("the source of COPY can't be {}", what)).add_hint("use ADD");
  }

  void check_path(const std::string& word) const {
    if (checksum_) {
      at(*copy_.checksum, [] { throw Error(ErrorKind::usage, "checksum requires HTTP(S) or Git sources"); });
    }
    if (check_.source == nullptr) return;
    auto& source = *check_.source;
    if (!has_source(source, parse_path_word(word, copy_.parents.value_or(false)))) {
      throw missing_source(source, word, "the build context");
    }
  }

  static void check_heredoc_name(const std::string& name) {
    if (!name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos) return;
    throw Error(ErrorKind::usage, fmt::format("\"{}\" can't be the name of a file", name))
        .add_hint("the word of a here-document is the name of the file that it makes");
  }

  const CopyCheck& check_;
  const dockerfile::Copy& copy_;
  std::optional<std::string> checksum_;
};

}  // namespace

void check_copy(const CopyCheck& check, const dockerfile::Copy& copy) {
  CopyChecker(check, copy).run();
}

}  // namespace tektii::builder
