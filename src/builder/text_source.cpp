#include "copy_source.hpp"
#include <tektii/util/hash.hpp>

#include <utility>

namespace tektii::builder {
namespace {

class TextFile : public SourceFile {
 public:
  explicit TextFile(std::string text) : text_(std::move(text)) {}
  std::unique_ptr<ByteSource> open() override { return std::make_unique<StringSource>(text_); }
  std::string content_id() override { return Sha256::hex_of(text_); }

 private:
  std::string text_;
};

class TextSource : public CopySource {
 public:
  TextSource(std::string text, std::int64_t mtime) : text_(std::move(text)), mtime_(mtime) {}

  void visit(const std::string&, const Visitor& visitor, const Prune&) override {
    SourceEntry entry;
    entry.metadata.mode = 0644;
    entry.metadata.size = text_.size();
    entry.metadata.mtime = mtime_;
    entry.file = std::make_shared<TextFile>(text_);
    visitor(std::move(entry));
  }

 private:
  std::string text_;
  std::int64_t mtime_;
};

}  // namespace

std::unique_ptr<CopySource> make_text_source(std::string text, std::int64_t mtime) {
  return std::make_unique<TextSource>(std::move(text), mtime);
}

}  // namespace tektii::builder
