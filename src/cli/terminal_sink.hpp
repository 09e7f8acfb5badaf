#pragma once

#include "cli/terminal.hpp"
#include <tektii/util/stream.hpp>

namespace tektii::cli {

// Results as a stream, so that a full disk or a closed pipe is an error. finish() ends a text with a line end where it
// has none; what is no text is not finished.
class TerminalSink : public ByteSink {
 public:
  explicit TerminalSink(Terminal& terminal) : terminal_(terminal) {}
  void write(ByteSpan data) override;
  void finish() override;

 private:
  Terminal& terminal_;
  char last_ = '\n';
};

}  // namespace tektii::cli
