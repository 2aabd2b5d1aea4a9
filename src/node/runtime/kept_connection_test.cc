#include "node/runtime/kept_connection.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

namespace stead::node {
namespace {

// The runtime's end: accepts one connection, and says whether the other side still holds it.
class Listener {
 public:
  Listener() {
    char directory[] = "/tmp/stead-kept-XXXXXX";
    directory_ = mkdtemp(directory);
    path_ = directory_ + "/socket";
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::strcpy(address.sun_path, path_.c_str());
    listening_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(bind(listening_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listening_, 4), 0);
  }
  ~Listener() {
    hang_up();
    close(listening_);
    std::filesystem::remove_all(directory_);
  }
  void accept_one() { connection_ = accept(listening_, nullptr, nullptr); }
  void hang_up() {
    if (connection_ >= 0) close(connection_);
    connection_ = -1;
  }
  bool closed_within(int timeout_ms) {
    pollfd seen{.fd = connection_, .events = POLLRDHUP};
    return poll(&seen, 1, timeout_ms) == 1;
  }
  const std::string& path() const { return path_; }

 private:
  std::string directory_;
  std::string path_;
  int listening_ = -1;
  int connection_ = -1;
};

// First, while this process has no thread of gRPC's: the child may use it then.
TEST(KeptConnectionTest, OutlivesItsProcessUntilTheRuntimeHangsUp) {
  Listener listener;
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // the keeper becomes this process's child when its own parent has ended
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    KeptConnection connection(listener.path());
    if (!connection.channel().ok()) _exit(1);
    (void)!write(ready[1], "x", 1);
    while (true) pause();
  }
  listener.accept_one();
  char word = 0;
  ASSERT_EQ(read(ready[0], &word, 1), 1);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_FALSE(listener.closed_within(300));
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), 0) << "the keeper lives";
  listener.hang_up();
  EXPECT_GT(waitpid(-1, nullptr, 0), 0) << "and ends with the connection";
  prctl(PR_SET_CHILD_SUBREAPER, 0);
  close(ready[0]);
  close(ready[1]);
}

TEST(KeptConnectionTest, EndsAtOnceWithItsOwner) {
  Listener listener;
  {
    KeptConnection connection(listener.path());
    ASSERT_TRUE(connection.channel().ok());
    listener.accept_one();
  }
  EXPECT_TRUE(listener.closed_within(10'000));
}

TEST(KeptConnectionTest, NobodyListensIsUnavailable) {
  KeptConnection connection("/nonexistent/socket");
  auto channel = connection.channel();
  ASSERT_FALSE(channel.ok());
  EXPECT_EQ(channel.error().reason, Reason::kUnavailable);
}

}  // namespace
}  // namespace stead::node
