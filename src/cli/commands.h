#pragma once

// Subcommands that only need the data directory or a running server. Each prints to stdout, errors to stderr, and
// returns the process's exit code.

#include <string>

#include "cli/command_line.h"

namespace stead::cli {

int run_status(const std::string& data_dir);
// `what` is KIND/NAME.
int run_why(const std::string& data_dir, const std::string& what, const std::string& ns);
int run_kubeconfig(const std::string& data_dir);
int run_version();
int run_token_create(const std::string& data_dir, const TokenOptions& options);
int run_token_list(const std::string& data_dir);
// `token` whole, or its id.
int run_token_delete(const std::string& data_dir, const std::string& token);

// Prints "stead: <message>" to stderr; returns 1.
int fail(const std::string& message);

}  // namespace stead::cli
