#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <filesystem>
#include <optional>

#include "base/clock.h"
#include "http/x509.h"
#include "loop/asio_loop.h"
#include "network/ingress/haproxy_process.h"
#include "network/ingress/load_balancer_adapter.h"
#include "network/ingress/server_slots.h"

namespace stead::network::ingress {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kReadyLimit{10'000};
constexpr std::chrono::hours kDefaultCertificateLife{10 * 365 * 24};

Result<void> write_whole(const std::string& path, const std::string& content) {
  const std::string fresh = path + ".new";
  const int file = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return errno_error(fresh, errno);
  size_t written = 0;
  while (written < content.size()) {
    const ssize_t count = write(file, content.data() + written, content.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    written += static_cast<size_t>(count);
  }
  const int failure = errno;
  close(file);
  if (written < content.size()) return errno_error(fresh, failure);
  if (rename(fresh.c_str(), path.c_str()) != 0) return errno_error(path, errno);
  return {};
}

Result<void> make_directory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return errno_error(path, errno);
}

// Shown to clients that ask for a host without a certificate. Nobody trusts it, but the handshake can be spoken about.
Result<void> ensure_default_certificate(const std::string& path) {
  if (access(path.c_str(), R_OK) == 0) return {};
  const WallTime now = system_clock().wall_now();
  STEAD_TRY(ca, http::make_ca("stead ingress default", now, kDefaultCertificateLife));
  http::LeafRequest leaf;
  leaf.common_name = "stead ingress default certificate";
  leaf.dns_names = {"ingress.stead.invalid"};
  leaf.server = true;
  leaf.valid_for = kDefaultCertificateLife;
  STEAD_TRY(pair, http::issue(ca, leaf, now));
  return write_whole(path, pair.certificate_pem + pair.key_pem);
}

// What makes the process's end known on the loop; belongs to the loop.
struct EndWatch {
  std::function<void()> ended;
  std::optional<boost::asio::posix::stream_descriptor> descriptor;
};

class HaproxyAdapter final : public LoadBalancerAdapter {
 public:
  HaproxyAdapter(loop::AsioLoop& loop, std::string directory, HaproxyOptions options)
      : loop_(loop), directory_(std::move(directory)), options_(std::move(options)), process_(directory_) {
    if (options_.user.empty() && geteuid() == 0 && getpwnam("haproxy") != nullptr) options_.user = "haproxy";
  }

  ~HaproxyAdapter() override {
    loop_.post([watch = watch_] { watch->descriptor.reset(); });
  }

  void on_end(std::function<void()> ended) override { watch_->ended = std::move(ended); }

  Result<void> apply(const Balancer& balancer) override {
    if (applied_ && process_.find() == applied_->master && same_but_for_servers(applied_->balancer, balancer)) {
      Slots slots = assign_slots(balancer, applied_->slots);
      auto commands = slot_commands(applied_->slots, slots);
      if (commands && process_.command(*commands, applied_->generation).ok()) {
        applied_->balancer = balancer;
        applied_->slots = std::move(slots);
        return {};
      }
    }
    return configure(balancer);
  }

  Result<void> stop() override {
    applied_.reset();
    unwatch();
    return process_.end();
  }

 private:
  struct Applied {
    Balancer balancer;
    Slots slots;
    std::string generation;
    pid_t master = 0;
  };

  Result<void> configure(const Balancer& balancer) {
    applied_.reset();
    Applied wanted{balancer, assign_slots(balancer, {}), new_generation(), 0};
    STEAD_TRY_VOID(write_files(wanted));
    STEAD_TRY_VOID(process_.check());
    wanted.master = process_.find();
    if (wanted.master != 0) {
      process_.reload(wanted.master);
    } else {
      // A master that died took its workers with it, or they are about to follow.
      STEAD_TRY_VOID(process_.end());
      STEAD_TRY(master, process_.start());
      wanted.master = master;
    }
    watch(wanted.master);
    STEAD_TRY_VOID(process_.wait_for(wanted.generation, wanted.master, kReadyLimit));
    applied_ = std::move(wanted);
    return {};
  }

  static std::string new_generation() {
    return fmt::format("stead-{:x}", system_clock().wall_now().time_since_epoch().count());
  }

  Result<void> write_files(const Applied& wanted) {
    STEAD_TRY_VOID(make_directory(directory_));
    STEAD_TRY_VOID(make_directory(directory_ + "/tls"));
    STEAD_TRY_VOID(ensure_default_certificate(directory_ + "/" + kDefaultCertificateFile));
    auto files = haproxy_files(wanted.balancer, wanted.slots, options_, wanted.generation);
    for (const auto& [name, content] : files) STEAD_TRY_VOID(write_whole(directory_ + "/" + name, content));
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory_ + "/tls", ignored)) {
      if (!files.contains("tls/" + entry.path().filename().string())) fs::remove(entry.path(), ignored);
    }
    return {};
  }

  void watch(pid_t master) {
    const int descriptor = watch_process(master);
    loop_.post([&loop = loop_, watch = watch_, descriptor, master] {
      watch->descriptor.reset();
      if (descriptor < 0) return watch->ended();
      watch->descriptor.emplace(loop.context(), descriptor);
      watch->descriptor->async_wait(boost::asio::posix::stream_descriptor::wait_read,
                                    [watch, master](const boost::system::error_code& error) {
                                      if (error) return;
                                      waitpid(master, nullptr, WNOHANG);  // ours to collect if we started it
                                      watch->descriptor.reset();
                                      watch->ended();
                                    });
    });
  }

  void unwatch() {
    loop_.post([watch = watch_] { watch->descriptor.reset(); });
  }

  loop::AsioLoop& loop_;
  const std::string directory_;
  HaproxyOptions options_;
  HaproxyProcess process_;
  std::optional<Applied> applied_;
  std::shared_ptr<EndWatch> watch_ = std::make_shared<EndWatch>();
};

}  // namespace

std::shared_ptr<LoadBalancerAdapter> make_haproxy_adapter(loop::AsioLoop& loop, std::string directory,
                                                          HaproxyOptions options) {
  return std::make_shared<HaproxyAdapter>(loop, std::move(directory), std::move(options));
}

Result<void> stop_ingress(const std::string& directory) {
  STEAD_TRY_VOID(HaproxyProcess(directory).end());
  std::error_code error;
  fs::remove_all(directory, error);
  if (error) return make_error(Reason::kInternal, fmt::format("remove {}: {}", directory, error.message()));
  return {};
}

}  // namespace stead::network::ingress
