#include "network/ingress/unix_call.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace stead::network::ingress {
namespace {

constexpr size_t kAnswerBytesMax = 1 << 20;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int get() const { return number_; }

 private:
  int number_;
};

Result<Descriptor> connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return make_error(Reason::kInvalid, "too long for the address of a socket: " + path);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  Descriptor made(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (made.get() < 0) return errno_error("socket", errno);
  if (connect(made.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return make_error(Reason::kUnavailable, path + ": " + std::strerror(errno));
  }
  return made;
}

}  // namespace

Result<std::string> call_unix(const std::string& path, const std::string& question, std::chrono::milliseconds limit) {
  STEAD_TRY(connection, connect_unix(path));
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (size_t sent = 0; sent < question.size();) {
    const ssize_t count = send(connection.get(), question.data() + sent, question.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno != EINTR) return errno_error(path, errno);
    if (count > 0) sent += static_cast<size_t>(count);
  }
  std::string answer;
  for (char buffer[4096]; answer.size() < kAnswerBytesMax;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd wait{connection.get(), POLLIN, 0};
    if (left.count() <= 0 || poll(&wait, 1, static_cast<int>(left.count())) == 0) {
      return make_error(Reason::kTimeout, path + " does not answer");
    }
    const ssize_t count = recv(connection.get(), buffer, sizeof buffer, 0);
    if (count == 0) return answer;
    if (count < 0 && errno != EINTR) return errno_error(path, errno);
    if (count > 0) answer.append(buffer, static_cast<size_t>(count));
  }
  return make_error(Reason::kInternal, path + " answers too much");
}

pid_t listener_of(const std::string& path) {
  Result<Descriptor> connection = connect_unix(path);
  if (!connection.ok()) return 0;
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(connection->get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return 0;
  return peer.pid;
}

}  // namespace stead::network::ingress
