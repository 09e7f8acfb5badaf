#include "cli/terminal_sink.hpp"

namespace tektii::cli {

void TerminalSink::write(ByteSpan data) {
  if (data.empty()) return;
  terminal_.result(std::string_view(reinterpret_cast<const char*>(data.data()), data.size()));
  last_ = static_cast<char>(data.back());
}

void TerminalSink::finish() {
  if (last_ != '\n') terminal_.result("\n");
}

}  // namespace tektii::cli
