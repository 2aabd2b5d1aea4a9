#include "app/certificate_keeper.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "app/join.h"
#include "base/log.h"

namespace stead::app {
namespace {

constexpr std::chrono::seconds kAnswerLimit{10};
constexpr std::chrono::seconds kRetryFirst{1};
constexpr std::chrono::seconds kRetryMax{60};
// Certificates are dated back by so much.
constexpr std::chrono::minutes kBackdated{5};

bool covers(const std::string& certificate_pem, const std::string& address) {
  Result<std::vector<std::string>> names = http::alternative_names(certificate_pem);
  return names.ok() && std::find(names->begin(), names->end(), address) != names->end();
}

}  // namespace

Result<WallTime> renewal_time(const std::string& certificate_pem) {
  STEAD_TRY(begin, http::not_before(certificate_pem));
  STEAD_TRY(end, http::not_after(certificate_pem));
  WallTime made = std::min(begin + kBackdated, end);
  return made + (end - made) * 4 / 5;
}

struct CertificateKeeper::State {
  State(Options the_options, const cli::DataDir& the_data_dir)
      : options(std::move(the_options)), data_dir(the_data_dir) {}

  Options options;
  const cli::DataDir data_dir;
  std::optional<http::KeyPair> serving;
  std::mutex mutex;
  std::condition_variable changed;
  bool has_serving = false;
  bool ending = false;
  std::thread thread;

  void run() {
    load_serving();
    std::chrono::seconds retry = kRetryFirst;
    while (!sleep_until(next_time())) {
      Result<void> done = renew();
      if (done.ok()) {
        retry = kRetryFirst;
        continue;
      }
      log::warning("agent", "certificate: {}; again in {} s", done.error().message, retry.count());
      if (sleep_until(system_clock().wall_now() + retry)) return;
      retry = std::min(retry * 2, kRetryMax);
    }
  }

  // True: the keeper is ending.
  bool sleep_until(WallTime when) {
    std::unique_lock lock(mutex);
    auto left = when - system_clock().wall_now();
    if (left.count() > 0) changed.wait_for(lock, left, [this] { return ending; });
    return ending;
  }

  void load_serving() {
    Result<std::string> certificate = cli::read_file(data_dir.path("pki/node-serving.crt"));
    Result<std::string> key = cli::read_file(data_dir.path("pki/node-serving.key"));
    if (!certificate.ok() || !key.ok() || !covers(*certificate, options.node_ip)) return;
    Result<WallTime> end = http::not_after(*certificate);
    if (!end.ok() || *end <= system_clock().wall_now()) return;
    serve(http::KeyPair{*certificate, *key});
  }

  void serve(http::KeyPair pair) {
    options.use_serving(pair, options.credentials.ca_pem);
    serving = std::move(pair);
    std::lock_guard lock(mutex);
    has_serving = true;
    changed.notify_all();
  }

  WallTime next_time() const {
    WallTime client = renewal_time(options.credentials.client.certificate_pem).value();
    if (!serving) return WallTime{};
    return std::min(client, renewal_time(serving->certificate_pem).value());
  }

  Result<void> renew() {
    WallTime now = system_clock().wall_now();
    http::ClientOptions server = client_of(options.server, options.credentials);
    if (renewal_time(options.credentials.client.certificate_pem).value() <= now) {
      STEAD_TRY(pair, request_certificate(server, "", client_wish(options.node_name), kAnswerLimit));
      options.credentials.client = std::move(pair);
      STEAD_TRY_VOID(save_key_pair(data_dir, "node", options.credentials.client));
      options.use_client(options.credentials);
      server = client_of(options.server, options.credentials);
    }
    if (!serving || renewal_time(serving->certificate_pem).value() <= now) {
      STEAD_TRY(pair, request_certificate(server, "", serving_wish(options.node_name, options.node_ip), kAnswerLimit));
      STEAD_TRY_VOID(save_key_pair(data_dir, "node-serving", pair));
      serve(std::move(pair));
    }
    return {};
  }
};

CertificateKeeper::CertificateKeeper(Options options, const cli::DataDir& data_dir)
    : state_(std::make_unique<State>(std::move(options), data_dir)) {
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

CertificateKeeper::~CertificateKeeper() {
  {
    std::lock_guard lock(state_->mutex);
    state_->ending = true;
    state_->changed.notify_all();
  }
  state_->thread.join();
}

bool CertificateKeeper::wait_serving(std::chrono::seconds limit) {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, limit, [this] { return state_->has_serving; });
}

}  // namespace stead::app
