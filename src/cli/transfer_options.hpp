#pragma once

#include <tektii/registry/client.hpp>

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace tektii::cli {

// The options of every command that moves images, as they were given.
struct TransferFlags {
  std::string retry_timeout = "5m";
  std::string push_chunk_size;  // empty: blobs go in one piece
  std::vector<std::string> mount_from;
};

// Those of a command that only pulls.
void add_retry_option(CLI::App& command, TransferFlags& flags);
// All of them.
void add_transfer_options(CLI::App& command, TransferFlags& flags);

// Throws Error{usage} that names the option and what would do.
registry::TransferOptions read_transfer_options(const TransferFlags& flags);

// What is shown of a pause: "registry ghcr.io asks to wait 30s (429)". Empty when it is too short to be worth a line.
std::string describe_wait(const registry::WaitNotice& notice);

}  // namespace tektii::cli
