#pragma once

namespace tektii::cli {

// Parses the command line, runs the command and renders errors; returns the exit code. Never throws.
int run_app(int argc, char** argv);

}  // namespace tektii::cli
