#pragma once

// `stead up`, `stead down` and `stead image import`: the subcommands that join rooms.

#include <string>

#include "cli/command_line.h"

namespace stead::app {

// Each returns the process's exit code; errors are on stderr.
int run_up(const cli::UpOptions& options);
int run_down(const std::string& data_dir);
int run_image_import(const cli::UpOptions& options, const std::string& file);

}  // namespace stead::app
