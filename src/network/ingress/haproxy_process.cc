#include "network/ingress/haproxy_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <thread>

#include "network/ingress/haproxy_config.h"
#include "network/ingress/unix_call.h"

namespace stead::network::ingress {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr char kProgram[] = "/usr/sbin/haproxy";
constexpr char kLogFile[] = "haproxy.log";
constexpr off_t kLogBytesMax = 1 << 20;
constexpr milliseconds kAnswerLimit{5'000};
constexpr milliseconds kEndLimit{5'000};
// HAProxy's line buffer is 16 KiB.
constexpr size_t kCommandBytesMax = 8 * 1024;

// Output to `output`, no input, nothing else open, no signal blocked: what a program expects that nobody has prepared.
Result<pid_t> spawn(const std::vector<std::string>& arguments, int output, bool new_session) {
  std::vector<char*> words;
  words.reserve(arguments.size() + 1);
  for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_adddup2(&actions, output, 2);
  // A listening socket of this program's in there would keep its port for as long as HAProxy runs.
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  sigset_t none, usual;
  sigemptyset(&none);
  sigemptyset(&usual);
  sigaddset(&usual, SIGPIPE);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  const int session = new_session ? POSIX_SPAWN_SETSID : 0;
  posix_spawnattr_setflags(&attributes, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | session));
  pid_t pid = 0;
  const int error = posix_spawn(&pid, words[0], &actions, &attributes, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error == ENOENT) return make_error(Reason::kUnavailable, fmt::format("{} is not installed", words[0]));
  if (error != 0) return errno_error(words[0], error);
  return pid;
}

std::string read_to_end(int descriptor, size_t bytes_max) {
  std::string text;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = read(descriptor, buffer, sizeof buffer)) > 0 || (count < 0 && errno == EINTR)) {
    if (count > 0 && text.size() < bytes_max) text.append(buffer, static_cast<size_t>(count));
  }
  return text;
}

// The last line that says what is wrong, without HAProxy's "[ALERT]   (123) : ".
std::string last_alert(const std::string& text) {
  std::string found;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    bool summary = line.find("Fatal errors") != std::string::npos || line.find("Error(s) found") != std::string::npos;
    if (line.starts_with("[ALERT]") && !summary) found = line;
    begin = end + 1;
  }
  size_t colon = found.find(" : ");
  return colon == std::string::npos ? found : found.substr(colon + 3);
}

std::string tail_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return {};
  const std::streamoff size = file.tellg();
  file.seekg(std::max<std::streamoff>(0, size - 4096));
  return {std::istreambuf_iterator<char>(file), {}};
}

bool same_network(pid_t pid) {
  struct stat ours {
  }, theirs{};
  if (stat("/proc/self/ns/net", &ours) != 0) return false;
  if (stat(fmt::format("/proc/{}/ns/net", pid).c_str(), &theirs) != 0) return false;
  return ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

std::vector<std::string> command_line(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/cmdline", pid), std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(std::move(word));
  return words;
}

bool wait_end(pid_t pid, milliseconds limit) {
  const int descriptor = watch_process(pid);
  if (descriptor < 0) return true;
  pollfd wait{descriptor, POLLIN, 0};
  const bool ended = poll(&wait, 1, static_cast<int>(limit.count())) > 0;
  close(descriptor);
  return ended;
}

// Nothing of a worker's answer but these says that a command did its work.
bool is_good_answer(std::string_view line) {
  return line.empty() || line.starts_with("IP changed") || line.starts_with("port changed") ||
         line.starts_with("no need to change");
}

}  // namespace

int watch_process(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

std::vector<std::string> HaproxyProcess::arguments(std::vector<std::string> more) const {
  std::vector<std::string> words = {kProgram, "-C", directory_, "-f", kConfigFile};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// Whoever listens on the master's socket is the master; a worker inherits no such socket.
pid_t HaproxyProcess::find() const {
  const pid_t pid = listener_of(path(kMasterSocket));
  if (pid <= 0 || !same_network(pid)) return 0;
  return pid;
}

std::vector<pid_t> HaproxyProcess::all() const {
  std::vector<pid_t> found;
  DIR* folder = opendir("/proc");
  if (folder == nullptr) return found;
  while (const dirent* entry = readdir(folder)) {
    const pid_t pid = std::atoi(entry->d_name);
    if (pid <= 0) continue;
    const std::vector<std::string> words = command_line(pid);
    if (words.size() > 2 && words[0].ends_with("haproxy") && words[1] == "-C" && words[2] == directory_) {
      found.push_back(pid);
    }
  }
  closedir(folder);
  return found;
}

Result<void> HaproxyProcess::check() const {
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) return errno_error("pipe", errno);
  Result<pid_t> pid = spawn(arguments({"-c", "-q"}), pipe_ends[1], false);
  close(pipe_ends[1]);
  std::string said = read_to_end(pipe_ends[0], 16 * 1024);
  close(pipe_ends[0]);
  if (!pid.ok()) return pid.error();
  int status = 0;
  while (waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return make_error(Reason::kInvalid, "HAProxy refuses the configuration: " + last_alert(said));
}

Result<pid_t> HaproxyProcess::start() const {
  const int log = open(path(kLogFile).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return errno_error(path(kLogFile), errno);
  Result<pid_t> pid = spawn(arguments({"-W", "-S", std::string("unix@") + kMasterSocket + ",mode,600"}), log, true);
  close(log);
  return pid;
}

void HaproxyProcess::reload(pid_t master) const {
  // It tells of every server that comes or goes.
  struct stat log {};
  if (stat(path(kLogFile).c_str(), &log) == 0 && log.st_size > kLogBytesMax) (void)!truncate(path(kLogFile).c_str(), 0);
  kill(master, SIGUSR2);
}

Result<void> HaproxyProcess::wait_for(const std::string& generation, pid_t master, milliseconds limit) const {
  const auto deadline = steady_clock::now() + limit;
  // HAProxy announces nowhere that it is ready.
  for (milliseconds pause{2}; steady_clock::now() < deadline; pause = std::min(pause * 2, milliseconds(50))) {
    Result<std::string> info = call_unix(path(kAdminSocket), "show info\n", kAnswerLimit);
    if (info.ok() && info->find("\ndescription: " + generation + "\n") != std::string::npos) return {};
    if (wait_end(master, pause)) break;
  }
  std::string alert = last_alert(tail_of(path(kLogFile)));
  return make_error(Reason::kUnavailable, "HAProxy does not start: " + (alert.empty() ? "no answer" : alert));
}

Result<void> HaproxyProcess::command(const std::vector<std::string>& commands, const std::string& generation) const {
  for (size_t next = 0; next < commands.size();) {
    std::string line = "show info";
    while (next < commands.size() && line.size() + commands[next].size() < kCommandBytesMax) {
      line += "; " + commands[next++];
    }
    STEAD_TRY(answer, call_unix(path(kAdminSocket), line + "\n", kAnswerLimit));
    const size_t information = answer.find("\n\n");
    if (answer.find("\ndescription: " + generation + "\n") == std::string::npos || information == std::string::npos) {
      return make_error(Reason::kConflict, "another HAProxy worker answers");
    }
    std::string_view rest = std::string_view(answer).substr(information);
    while (!rest.empty()) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      if (!is_good_answer(rest.substr(0, end))) {
        return make_error(Reason::kInternal, "HAProxy: " + std::string(rest.substr(0, end)));
      }
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return {};
}

Result<void> HaproxyProcess::end() const {
  for (int signal : {SIGTERM, SIGKILL}) {
    const std::vector<pid_t> found = all();
    if (found.empty()) return {};
    for (pid_t pid : found) kill(pid, signal);
    for (pid_t pid : found) {
      (void)wait_end(pid, kEndLimit);
      waitpid(pid, nullptr, WNOHANG);
    }
  }
  const std::vector<pid_t> left = all();
  if (left.empty()) return {};
  return make_error(Reason::kTimeout, fmt::format("HAProxy does not end: pids {}", fmt::join(left, ", ")));
}

}  // namespace stead::network::ingress
