#include "copy_source.hpp"
#include <tektii/util/hash.hpp>

#include <utility>

namespace tektii::builder {
namespace {

class TextSource : public CopySource {
 public:
  TextSource(std::string text, std::int64_t mtime) : text_(std::move(text)), mtime_(mtime) {}

  void visit(const std::string&, const Visitor& visitor, const Prune&) override {
    SourceEntry entry;
    entry.metadata.mode = 0644;
    entry.metadata.size = text_.size();
    entry.metadata.mtime = mtime_;
    entry.open = [text = text_] { return std::make_unique<StringSource>(text); };
    entry.content_id = [text = text_] { return Sha256::hex_of(text); };
    visitor(entry);
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
