#include <cstdio>

#include "cli/commands.h"
#include "cli/data_dir.h"

namespace stead::cli {

int fail(const std::string& message) {
  std::fprintf(stderr, "stead: %s\n", message.c_str());
  return 1;
}

int run_kubeconfig(const std::string& data_dir) {
  Result<std::string> text = read_file(data_dir + "/kubeconfig");
  if (!text.ok()) {
    return fail("there is no kubeconfig in " + data_dir + " yet (" + text.error().message + "); `stead up` writes it");
  }
  std::fputs(text->c_str(), stdout);
  return 0;
}

int run_version() {
  std::puts("stead v1.35.0+stead");
  return 0;
}

}  // namespace stead::cli
