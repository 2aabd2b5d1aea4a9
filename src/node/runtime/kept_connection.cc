#include "node/runtime/kept_connection.h"

#include <fcntl.h>
#include <grpcpp/create_channel_posix.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace stead::node {

namespace {

// The whole life of the keeper. After fork in a process with threads only system calls are safe.
[[noreturn]] void keep(int connection, int pipe) {
  // Signals for stead's process group are not for the keeper: it ends by its pipe.
  setsid();
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  prctl(PR_SET_NAME, "stead-keeper");
  // Nothing else of stead's may live on here: locks, listeners, files.
  dup2(connection, 0);
  dup2(pipe, 1);
  close_range(2, ~0U, 0);
  pollfd seen[] = {{.fd = 0, .events = POLLRDHUP}, {.fd = 1, .events = POLLIN}};
  while (poll(seen, 2, -1) < 0 && errno == EINTR) {
  }
  char word = 0;
  const bool released = read(1, &word, 1) == 1;
  if (!released && (seen[0].revents & (POLLRDHUP | POLLHUP | POLLERR)) == 0) {
    constexpr auto kTime = std::chrono::milliseconds(KeptConnection::kKeptFor);
    (void)poll(seen, 1, static_cast<int>(kTime.count()));
  }
  _exit(0);
}

// A child whose end is init's to collect.
bool fork_keeper(int connection, int pipe) {
  const pid_t child = fork();
  if (child == 0) {
    const pid_t keeper = fork();
    if (keeper == 0) keep(connection, pipe);
    _exit(keeper < 0 ? 1 : 0);
  }
  int status = 1;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return child > 0 && status == 0;
}

Result<int> connect_to(const std::string& socket_path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (socket_path.size() >= sizeof address.sun_path) {
    return make_error(Reason::kBadRequest, "the path of the runtime's socket is too long: " + socket_path);
  }
  std::memcpy(address.sun_path, socket_path.c_str(), socket_path.size() + 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno_error("socket", errno);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    close(fd);
    return make_error(Reason::kUnavailable, "connecting to " + socket_path + ": " + std::strerror(error));
  }
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  return fd;
}

}  // namespace

KeptConnection::~KeptConnection() { let_go(); }

void KeptConnection::let_go() {
  channel_.reset();
  if (release_ < 0) return;
  (void)!write(release_, "x", 1);
  close(release_);
  release_ = -1;
}

Result<std::shared_ptr<grpc::Channel>> KeptConnection::channel() {
  std::lock_guard lock(mutex_);
  if (channel_) {
    const grpc_connectivity_state state = channel_->GetState(false);
    if (state == GRPC_CHANNEL_READY || state == GRPC_CHANNEL_IDLE) return channel_;
    let_go();
  }
  STEAD_TRY(fd, connect_to(socket_path_));
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
    const int error = errno;
    close(fd);
    return errno_error("pipe", error);
  }
  const bool kept = fork_keeper(fd, pipe_fds[0]);
  close(pipe_fds[0]);
  release_ = pipe_fds[1];
  if (!kept) let_go();  // works without one, only not across kill -9
  channel_ = grpc::CreateCustomInsecureChannelFromFd("localhost", fd, channel_arguments());
  return channel_;
}

}  // namespace stead::node
