#pragma once

#include "copy_filter.hpp"
#include "copy_plan.hpp"
#include "copy_source.hpp"
#include "remote_source.hpp"
#include "step_cache.hpp"
#include <tektii/builder/build.hpp>
#include <tektii/builder/byte_meter.hpp>
#include <tektii/dockerfile/instruction.hpp>

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tektii::builder {

// A source word that is a path, as --parents takes it apart: what is looked for, and what of it is copied.
struct PathWord {
  std::string pattern;                 // before the pivot "/./"; with --parents and no pivot the root
  std::optional<std::string> include;  // --parents: clean, behind the pivot; nullopt is everything
  bool is_literal = true;              // without wildcards, so that it must exist
};
PathWord parse_path_word(const std::string& word, bool parents);

// True when the source has what a literal word names; always for wildcards. Throws what CopySource::match throws.
bool has_source(CopySource& source, const PathWord& word);
// "x not found in the build context", with a suggestion or why it is not offered.
Error missing_source(CopySource& source, const std::string& word, const std::string& where);

// What one COPY or ADD copies, in order: the matched paths, URLs and git trees of its words, then its here-documents.
class CopyInputs {
 public:
  // `copy` has all of its words expanded and passed the checks of check_copy; `local` is what paths are read from. All
  // outlive the inputs.
  CopyInputs(const dockerfile::Copy& copy, const BuildRequest& request, const BuildDeps& deps, CopySource& local,
             std::stop_token stop);

  // Throws Error{usage} when a literal path does not exist.
  void add_word(const std::string& word);
  void add_text(const dockerfile::Heredoc& heredoc);

  // Adds what is copied to a key, but not where it came from: the shape is names and attributes (and what a remote
  // source says of its content), which costs no look into a file.
  void add_shape_to(KeyBuilder& key) const;
  // And the contents. Files whose contents are not known are read, on all cores; the meter counts their bytes.
  void add_contents_to(KeyBuilder& key, ByteMeter& meter);
  // What stat(2) says of the files in the place of their contents.
  void add_stamps_to(KeyBuilder& key) const;
  // True when add_contents_to() would read files.
  bool has_unread_files() const;
  // Hands names and attributes over to the plan, once; contents and stamps are there as before.
  void plan(CopyPlan& plan, const CopyDestination& destination);

 private:
  struct Item {
    CopySource* source;
    std::string path;
    std::shared_ptr<const CopyFilter> filter;
    bool unpack = false;  // if it is an archive
    // What a visit gives; none where the source tells its content without one.
    std::vector<SourceEntry> entries = {};
    // What is left of them once they are planned.
    std::vector<SourceContent> contents = {};
  };

  void add_path(const std::string& word);
  void add_item(Item item);
  std::vector<SourceEntry> visited(const Item& item) const;
  void read_unread_files(ByteMeter& meter);
  // Calls visit(content) for every file of a directory of this machine, or of another source that has contents.
  template <typename Visit>
  void for_each_content(const Visit& visit) const;
  void add_fetched(std::unique_ptr<CopySource> source, std::string name, bool unpack);
  BlobOpener as_archive(const Item& item) const;

  const dockerfile::Copy& copy_;
  const BuildRequest& request_;
  const BuildDeps& deps_;
  CopySource& local_;
  std::stop_token stop_;
  std::vector<std::unique_ptr<CopySource>> owned_;
  std::vector<Item> items_;
};

}  // namespace tektii::builder
