#include "node/logs/log_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <list>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "node/volumes/descriptor.h"

namespace stead::node {
namespace {

constexpr uint32_t kEvents = IN_MODIFY | IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_ONLYDIR;

using Callback = std::shared_ptr<std::function<void()>>;

}  // namespace

struct LogWatch::State : std::enable_shared_from_this<State> {
  std::mutex mutex;
  Descriptor inotify;
  Descriptor stop;
  std::thread thread;
  std::map<int, std::list<Callback>> directories;  // by watch descriptor

  Result<void> start() {
    if (inotify) return {};
    Descriptor events(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!events) return errno_error("watching logs", errno);
    stop = Descriptor(eventfd(0, EFD_CLOEXEC));
    if (!stop) return errno_error("watching logs", errno);
    inotify = std::move(events);
    thread = std::thread([this, events = inotify.fd(), ended = stop.fd()] { run(events, ended); });
    return {};
  }

  void run(int events, int ended) {
    for (;;) {
      pollfd waiting[2] = {{events, POLLIN, 0}, {ended, POLLIN, 0}};
      if (poll(waiting, 2, -1) < 0 && errno != EINTR) return;
      if (waiting[1].revents != 0) return;
      if (waiting[0].revents != 0) take_events(events);
    }
  }

  void take_events(int events) {
    alignas(inotify_event) char buffer[16 * 1024];
    ssize_t count = ::read(events, buffer, sizeof(buffer));
    std::vector<Callback> calls;
    {
      std::lock_guard lock(mutex);
      std::map<int, bool> seen;  // watch descriptor → it is gone
      for (ssize_t at = 0; at + static_cast<ssize_t>(sizeof(inotify_event)) <= count;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
        if ((event->mask & IN_Q_OVERFLOW) != 0) {
          for (const auto& [descriptor, callbacks] : directories) seen[descriptor] |= false;
        } else {
          seen[event->wd] |= (event->mask & IN_IGNORED) != 0;
        }
      }
      for (const auto& [descriptor, gone] : seen) {
        auto found = directories.find(descriptor);
        if (found == directories.end()) continue;
        calls.insert(calls.end(), found->second.begin(), found->second.end());
        if (gone) directories.erase(found);
      }
    }
    for (const Callback& call : calls) (*call)();
  }

  void unsubscribe(int descriptor, const Callback& callback) {
    std::lock_guard lock(mutex);
    auto found = directories.find(descriptor);
    if (found == directories.end()) return;
    found->second.remove(callback);
    if (!found->second.empty()) return;
    directories.erase(found);
    if (inotify) inotify_rm_watch(inotify.fd(), descriptor);
  }
};

LogWatch::LogWatch() : state_(std::make_shared<State>()) {}

LogWatch::~LogWatch() {
  if (!state_->thread.joinable()) return;
  eventfd_write(state_->stop.fd(), 1);
  state_->thread.join();
  std::lock_guard lock(state_->mutex);
  state_->inotify.reset();
}

Result<LogWatch::Subscription> LogWatch::subscribe(const std::string& directory, std::function<void()> changed) {
  auto callback = std::make_shared<std::function<void()>>(std::move(changed));
  std::lock_guard lock(state_->mutex);
  STEAD_TRY_VOID(state_->start());
  int descriptor = inotify_add_watch(state_->inotify.fd(), directory.c_str(), kEvents);
  if (descriptor < 0) return errno_error("watching " + directory, errno);
  state_->directories[descriptor].push_back(callback);
  return Subscription(callback.get(),
                      [state = state_, descriptor, callback](void*) { state->unsubscribe(descriptor, callback); });
}

}  // namespace stead::node
