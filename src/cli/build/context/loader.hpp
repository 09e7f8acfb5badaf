#pragma once

#include "cli/build/remote_sources.hpp"
#include "cli/progress/progress.hpp"
#include <tektii/dockerfile/git_ref.hpp>
#include <tektii/store/store.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace tektii::cli {

// What a build reads its files from.
struct Context {
  std::filesystem::path directory;
  bool is_local = true;              // the user's own directory; otherwise private, in the store's temporary one
  bool is_commit = false;            // taken from git
  std::optional<std::int64_t> time;  // of the commit, else Last-Modified of the file or the newest file of the archive
  // The context was no archive: it is the Dockerfile itself, and there are no files.
  std::optional<std::string> dockerfile;
  std::string commit = {};  // its id, of a context that was taken from git
};

// Brings contexts to this machine. What is loaded is in the temporary directory of the store, and so goes away with it.
//
// Signals, downloads and the display of progress have threads; they are started for the first context that is not a
// directory, and gone when the loader is: a build enters its namespaces after that.
class ContextLoader {
 public:
  // `open_store` is called when something has to be kept; the store outlives the loader. Everything else is owned.
  ContextLoader(std::function<store::Store&()> open_store, ProgressMode progress, int standard_input = 0);
  ContextLoader(const ContextLoader&) = delete;
  ContextLoader& operator=(const ContextLoader&) = delete;
  ~ContextLoader();

  // A directory, a git reference, an http(s) URL or "-": docker's rules. A directory comes first, then git. Throws
  // Error{usage} for what is none of them.
  Context load(const std::string& text, const BuildSecrets& secrets, bool keep_git_dir);
  // The same for the contexts of --build-context, which are neither "-" nor a Dockerfile: a file that is no archive is
  // the only file of its context, named "context". nullopt when the text is neither git nor http(s).
  std::optional<Context> load_named(const std::string& text, const BuildSecrets& secrets);
  // Text of a Dockerfile on standard input or at a URL.
  std::string read_standard_input(const std::string& what);
  std::string read_url(const std::string& url, const BuildSecrets& secrets);
  // How many steps were shown so far.
  int steps() const { return steps_; }

 private:
  struct Threads;
  Threads& threads(const BuildSecrets& secrets);
  std::filesystem::path new_directory();
  Context load_git(const dockerfile::GitRef& reference, const BuildSecrets& secrets);
  Context load_url(const std::string& url, const BuildSecrets& secrets, bool is_named);
  builder::RemoteFile load_file(const std::string& url, const BuildSecrets& secrets);
  Context unpack_or_read(ByteSource& source, const std::string& shown, const BuildSecrets& secrets, bool is_named);

  std::function<store::Store&()> open_store_;
  ProgressMode progress_;
  int standard_input_;
  int steps_ = 0;
  std::unique_ptr<Threads> threads_;
};

}  // namespace tektii::cli
