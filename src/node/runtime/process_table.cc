#include "node/runtime/process_table.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace stead::node {

namespace {

// What a process that ends meanwhile leaves to read. A read of /proc may fail with ESRCH after a good open, which a
// stream reports by an exception unless it is read through a formatted function.
std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

// An open pidfd for exactly this process, or -1.
int open_process(const ProcessIdentity& process) {
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, process.pid, 0));
  if (fd >= 0 && identify_process(process.pid) != process) {
    close(fd);
    return -1;
  }
  return fd;
}

}  // namespace

std::optional<ProcessIdentity> identify_process(pid_t pid) {
  const std::string stat = read_file(fmt::format("/proc/{}/stat", pid));
  // The second field is the name in brackets, which may hold anything; fields are counted from its end (proc(5)).
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream rest(stat.substr(name_end + 1));
  std::string field;
  ProcessIdentity identity{pid, 0};
  for (int number = 3; number <= 22 && rest >> field; ++number) {
    if (number == 3 && (field == "Z" || field == "X")) return std::nullopt;
    if (number == 22) std::from_chars(field.data(), field.data() + field.size(), identity.start_ticks);
  }
  return identity;
}

std::vector<std::string> command_line_of(pid_t pid) {
  const std::string raw = read_file(fmt::format("/proc/{}/cmdline", pid));
  std::vector<std::string> words;
  for (size_t begin = 0; begin < raw.size();) {
    size_t end = raw.find('\0', begin);
    if (end == std::string::npos) end = raw.size();
    words.push_back(raw.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

std::vector<ProcessIdentity> find_processes(const std::function<bool(const std::vector<std::string>&)>& matches) {
  std::vector<ProcessIdentity> found;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator("/proc", error); !error && entry != std::filesystem::end(entry);
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    pid_t pid = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) continue;
    if (!matches(command_line_of(pid))) continue;
    if (auto identity = identify_process(pid)) found.push_back(*identity);
  }
  return found;
}

void signal_process(const ProcessIdentity& process, int signal) {
  const int fd = open_process(process);
  if (fd < 0) return;
  syscall(SYS_pidfd_send_signal, fd, signal, nullptr, 0);
  close(fd);
}

bool wait_for_end(const ProcessIdentity& process, std::chrono::milliseconds timeout) {
  const int fd = open_process(process);
  if (fd < 0) return true;
  pollfd poll_fd{fd, POLLIN, 0};
  const int ready = poll(&poll_fd, 1, static_cast<int>(timeout.count()));
  close(fd);
  return ready > 0;
}

}  // namespace stead::node
