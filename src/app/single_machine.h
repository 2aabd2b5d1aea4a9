#pragma once

// Everything on one machine, joined: control plane, controllers, scheduler, DNS, one node part and its containerd.
//
//   loops: api (ControlPlane), control (controllers, scheduler), node, dns; blocking work on bounded pools
//
// Starting it twice on one data directory is refused; starting it after a crash adopts what runs.

#include <memory>
#include <string>

#include "app/control_plane.h"
#include "cli/command_line.h"
#include "cli/data_dir.h"

namespace stead::app {

class SingleMachine {
 public:
  // Returns when all parts run (the node need not be Ready yet). Blocks; one call per process.
  static Result<std::unique_ptr<SingleMachine>> start(const cli::UpOptions& options, const cli::DataDir& data_dir);
  // Ends all parts but the pods and their containerd.
  ~SingleMachine();

  // Whether the node became Ready in time. Blocks.
  bool wait_ready(std::chrono::seconds limit);
  // "https://127.0.0.1:6443"
  std::string url() const;
  std::string node_name() const;

 private:
  struct Parts;
  explicit SingleMachine(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace stead::app
