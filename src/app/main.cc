// stead: reads the command line and runs one subcommand.

#include <malloc.h>

#include "app/up.h"
#include "cli/command_line.h"
#include "cli/commands.h"

int main(int argc, char** argv) {
  // An arena for each of a dozen mostly idle threads would hold a megabyte and a half that nobody uses.
  mallopt(M_ARENA_MAX, 2);
  using Command = stead::cli::CommandLine::Command;
  stead::cli::CommandLine line = stead::cli::parse_command_line(argc, argv);
  switch (line.command) {
    case Command::kNone:
      return line.exit_code;
    case Command::kUp:
      return stead::app::run_up(line.up);
    case Command::kServer:
      return stead::app::run_server(line.up);
    case Command::kAgent:
      return stead::app::run_agent(line.agent);
    case Command::kDown:
      return stead::app::run_down(line.up.data_dir);
    case Command::kImageImport:
      return stead::app::run_image_import(line.up, line.image_file);
    case Command::kStatus:
      return stead::cli::run_status(line.up.data_dir);
    case Command::kWhy:
      return stead::cli::run_why(line.up.data_dir, line.subject, line.ns);
    case Command::kKubeconfig:
      return stead::cli::run_kubeconfig(line.up.data_dir);
    case Command::kTokenCreate:
      return stead::cli::run_token_create(line.up.data_dir, line.token);
    case Command::kTokenList:
      return stead::cli::run_token_list(line.up.data_dir);
    case Command::kTokenDelete:
      return stead::cli::run_token_delete(line.up.data_dir, line.token_id);
    case Command::kVersion:
      return stead::cli::run_version();
  }
  return 2;
}
