#pragma once

// Processes as /proc shows them. Blocking, any thread.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace stead::node {

// A process that cannot be mistaken for a later one with the same number.
struct ProcessIdentity {
  pid_t pid = 0;
  uint64_t start_ticks = 0;  // since boot
  bool operator==(const ProcessIdentity&) const = default;
};

// nullopt: no such process, or only its zombie.
std::optional<ProcessIdentity> identify_process(pid_t pid);

std::vector<std::string> command_line_of(pid_t pid);

// Processes whose command line `matches`.
std::vector<ProcessIdentity> find_processes(const std::function<bool(const std::vector<std::string>&)>& matches);

// Sends `signal` if the process is still the same one.
void signal_process(const ProcessIdentity& process, int signal);

// Waits for its end; false when `timeout` passed first. It need not be a child.
bool wait_for_end(const ProcessIdentity& process, std::chrono::milliseconds timeout);

}  // namespace stead::node
