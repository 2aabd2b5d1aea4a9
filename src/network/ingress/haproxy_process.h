#pragma once

// The HAProxy of one folder, as processes and sockets: a master, which keeps the listening sockets, and workers, one of
// them current. Blocking; one thread at a time; in the network namespace of the caller.

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"

namespace stead::network::ingress {

class HaproxyProcess {
 public:
  // `directory` is absolute and holds haproxy_config.h's files.
  explicit HaproxyProcess(std::string directory) : directory_(std::move(directory)) {}

  // The master; 0 if none runs here.
  pid_t find() const;
  // Whether HAProxy would take the configuration; kInvalid with what it says otherwise.
  Result<void> check() const;
  // Starts a master of its own session, which outlives this program.
  Result<pid_t> start() const;
  // The master reads the configuration again and starts a worker for it; the workers before finish what they have.
  void reload(pid_t master) const;
  // Until the worker with that generation answers. kUnavailable with HAProxy's last words where it does not.
  Result<void> wait_for(const std::string& generation, pid_t master, std::chrono::milliseconds limit) const;
  // Runtime commands, for the worker of `generation` only.
  Result<void> command(const std::vector<std::string>& commands, const std::string& generation) const;
  // Ends all processes of the folder. Idempotent. kTimeout if one stays.
  Result<void> end() const;

 private:
  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  std::vector<std::string> arguments(std::vector<std::string> more) const;
  std::vector<pid_t> all() const;

  std::string directory_;
};

// A descriptor that is readable once the process has ended; the caller closes it. -1: it has.
int watch_process(pid_t pid);

}  // namespace stead::network::ingress
