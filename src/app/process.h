#pragma once

// What the long-running subcommands have in common.

#include <csignal>
#include <string>

#include "cli/data_dir.h"

namespace stead::app {

// Signals that end the process are taken by sigwait() alone, in every thread made after this; descriptors as many as
// the kernel allows.
sigset_t prepare_process(bool verbose);

// Opened and locked.
Result<cli::DataDir> take_data_dir(const std::string& path);

// Blocks until the process is asked to end.
void wait_for_end(const sigset_t& signals);

}  // namespace stead::app
