#include "node/runtime/containerd_spawn.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "node/runtime/mount_table.h"

namespace stead::node {

namespace {

// Says that a directory was made by us; a name in the namespace only root reads.
constexpr char kMadeByUs[] = "trusted.stead.made";
constexpr char kContainerdProgram[] = "/usr/bin/containerd";

// One starter or stopper on the machine at a time touches the mount places. Held while the object lives.
class MountPlacesLock {
 public:
  MountPlacesLock() : fd_(open("/run", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (fd_ >= 0) flock(fd_, LOCK_EX);
  }
  MountPlacesLock(const MountPlacesLock&) = delete;
  MountPlacesLock& operator=(const MountPlacesLock&) = delete;
  ~MountPlacesLock() {
    if (fd_ >= 0) close(fd_);
  }

 private:
  int fd_;
};

Result<void> make_mount_place(const char* path) {
  if (mkdir(path, 0711) == 0) {
    (void)setxattr(path, kMadeByUs, "1", 1, 0);
    return {};
  }
  if (errno == EEXIST) return {};
  return errno_error(std::string("mkdir ") + path, errno);
}

// What the child needs, prepared before fork: after it only system calls are safe.
struct Plan {
  const char* config;
  const char* log;
  const char* run;
  const char* cni_results;
  const char* pods;
  int mount_namespace = -1;  // of the shim to join, or -1
  int network_namespace = -1;
  int report = -1;  // pipe: Report
};

enum class Step : int { kStarted, kFork, kJoin, kUnshare, kPropagation, kBind, kPods, kLog, kExec };

struct Report {
  Step step;
  int error;
  pid_t pid;
};

constexpr std::array<const char*, 9> kStepNames{"start",
                                                "fork",
                                                "setns",
                                                "unshare",
                                                "mount propagation",
                                                "bind mount",
                                                "mount of pods",
                                                "log file",
                                                "exec of /usr/bin/containerd"};

[[noreturn]] void fail(const Plan& plan, Step step) {
  const Report report{step, errno, 0};
  (void)!write(plan.report, &report, sizeof report);
  _exit(1);
}

// Mounts made on the machine later (volumes) flow in, nothing flows out, except below `pods`: its clone stays a
// peer of the machine's mount.
void enter_new_namespace(const Plan& plan) {
  if (unshare(CLONE_NEWNS) != 0) fail(plan, Step::kUnshare);
  const int pods =
      static_cast<int>(syscall(SYS_open_tree, AT_FDCWD, plan.pods, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
  if (pods < 0) fail(plan, Step::kPods);
  if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) fail(plan, Step::kPropagation);
  if (mount(plan.run, kBuiltInRunPath, nullptr, MS_BIND, nullptr) != 0) fail(plan, Step::kBind);
  if (mount(plan.cni_results, kBuiltInCniPath, nullptr, MS_BIND, nullptr) != 0) fail(plan, Step::kBind);
  if (syscall(SYS_move_mount, pods, "", AT_FDCWD, plan.pods, MOVE_MOUNT_F_EMPTY_PATH) != 0) fail(plan, Step::kPods);
}

[[noreturn]] void run_child(const Plan& plan) {
  setsid();
  const pid_t daemon = fork();  // so that its end is init's to collect, not ours
  if (daemon < 0) fail(plan, Step::kFork);
  if (daemon > 0) _exit(0);
  if (plan.mount_namespace >= 0) {
    if (setns(plan.network_namespace, CLONE_NEWNET) != 0) fail(plan, Step::kJoin);
    if (setns(plan.mount_namespace, CLONE_NEWNS) != 0) fail(plan, Step::kJoin);
  } else {
    enter_new_namespace(plan);
  }
  const int log = open(plan.log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int null = open("/dev/null", O_RDONLY);
  if (log < 0 || null < 0) fail(plan, Step::kLog);
  dup2(null, 0);
  dup2(log, 1);
  dup2(log, 2);
  const Report report{Step::kStarted, 0, getpid()};
  (void)!write(plan.report, &report, sizeof report);
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  const char* arguments[] = {kContainerdProgram, "--config", plan.config, nullptr};
  execv(kContainerdProgram, const_cast<char* const*>(arguments));
  fail(plan, Step::kExec);
}

// Reads the child's reports until the pipe closes, which exec does.
Result<ProcessIdentity> read_reports(int fd) {
  Report report{};
  pid_t pid = 0;
  while (read(fd, &report, sizeof report) == sizeof report) {
    if (report.step == Step::kStarted) {
      pid = report.pid;
      continue;
    }
    return errno_error(std::string("starting containerd: ") + kStepNames.at(static_cast<size_t>(report.step)),
                       report.error);
  }
  auto identity = identify_process(pid);
  if (pid == 0 || !identity) return make_error(Reason::kInternal, "starting containerd: it ended at once");
  return *identity;
}

}  // namespace

Result<ProcessIdentity> spawn_containerd(const ContainerdLayout& layout, const std::optional<ProcessIdentity>& shim) {
  Plan plan{.config = layout.config.c_str(),
            .log = layout.log.c_str(),
            .run = layout.run.c_str(),
            .cni_results = layout.cni_results.c_str(),
            .pods = layout.pods.c_str()};
  std::optional<MountPlacesLock> lock;
  if (shim) {
    plan.mount_namespace = open(fmt::format("/proc/{}/ns/mnt", shim->pid).c_str(), O_RDONLY | O_CLOEXEC);
    plan.network_namespace = open(fmt::format("/proc/{}/ns/net", shim->pid).c_str(), O_RDONLY | O_CLOEXEC);
    if (plan.mount_namespace < 0 || plan.network_namespace < 0) {
      return errno_error("opening the namespaces of a containerd shim", errno);
    }
  } else {
    lock.emplace();
    STEAD_TRY_VOID(make_mount_place(kBuiltInRunPath));
    STEAD_TRY_VOID(make_mount_place(kBuiltInCniPath));
    STEAD_TRY_VOID(share_directory(layout.pods));
  }
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) != 0) return errno_error("pipe", errno);
  plan.report = pipe_fds[1];
  const pid_t child = fork();
  if (child == 0) run_child(plan);
  close(pipe_fds[1]);
  if (plan.mount_namespace >= 0) close(plan.mount_namespace);
  if (plan.network_namespace >= 0) close(plan.network_namespace);
  auto result = child < 0 ? Result<ProcessIdentity>(errno_error("fork", errno)) : read_reports(pipe_fds[0]);
  close(pipe_fds[0]);
  if (child > 0) {
    while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  return result;
}

void remove_mount_places() {
  MountPlacesLock lock;
  // Removing a directory that another mount namespace mounts on would take its mount away.
  const auto containerds = find_processes([](const std::vector<std::string>& words) {
    return !words.empty() && words[0].find("containerd") != std::string::npos;
  });
  for (const char* path : {kBuiltInRunPath, kBuiltInCniPath}) {
    char mark = 0;
    if (getxattr(path, kMadeByUs, &mark, 1) != 1) continue;
    bool covered = false;
    for (const ProcessIdentity& process : containerds) {
      auto mounts = list_mounts_of(fmt::format("/proc/{}/mountinfo", process.pid));
      if (!mounts.ok()) continue;
      for (const MountPoint& mount : *mounts) covered |= mount.path == path;
    }
    if (!covered) rmdir(path);
  }
}

}  // namespace stead::node
