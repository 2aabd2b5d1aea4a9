#pragma once

// The subcommands that join the whole house, or a half of it. Exit codes as in cli/commands.h.

#include <string>

#include "cli/command_line.h"

namespace stead::app {

// Runs until SIGINT or SIGTERM.
int run_up(const cli::UpOptions& options);
int run_server(const cli::UpOptions& options);
int run_agent(const cli::AgentOptions& options);

int run_down(const std::string& data_dir);
int run_image_import(const cli::UpOptions& options, const std::string& file);

}  // namespace stead::app
