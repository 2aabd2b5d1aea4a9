#include "app/control_plane.h"

#include <fmt/format.h>

#include <future>

#include "apiserver/front_end/front_end.h"
#include "app/node_usage.h"
#include "base/log.h"
#include "store/sqlite/sqlite_store.h"

namespace stead::app {
namespace {

// History older than one period is given up: at least five and at most ten minutes of it can be watched again.
constexpr Duration kCompactionPeriod = std::chrono::minutes(5);
// Where the store keeps Secrets (cache.h draws its keys).
constexpr const char* kSecretsPrefix = "/registry//secrets/";
// What clients have to take the ends of their watches and the answers that are being made.
constexpr std::chrono::seconds kShutDownLimit{5};

// Null where nothing is to be recorded.
Result<std::shared_ptr<const apiserver::AuditTarget>> open_audit(const cli::AuditOptions& options) {
  if (options.log_path.empty()) return std::shared_ptr<const apiserver::AuditTarget>();
  apiserver::AuditPolicy policy = apiserver::AuditPolicy::everything();
  if (!options.policy_file.empty()) {
    STEAD_TRY(text, cli::read_file(options.policy_file));
    auto parsed = apiserver::AuditPolicy::parse(text);
    if (!parsed.ok()) return parsed.error().with_context(options.policy_file);
    policy = std::move(*parsed);
  }
  apiserver::AuditLogOptions log_options;
  log_options.path = options.log_path;
  log_options.bytes_max = static_cast<size_t>(options.log_megabytes_max) << 20;
  log_options.backups_max = options.log_backups_max;
  STEAD_TRY(log, apiserver::open_audit_log(std::move(log_options)));
  return std::make_shared<const apiserver::AuditTarget>(
      apiserver::AuditTarget{std::move(log), std::move(policy), system_random()});
}

}  // namespace

Result<std::unique_ptr<ControlPlane>> ControlPlane::start(const Options& options, const Credentials& credentials,
                                                          apiserver::NodeGateway& nodes) {
  std::unique_ptr<ControlPlane> plane(new ControlPlane());
  store::SqliteOptions store_options;
  store_options.path = options.data_dir + "/store.db";
  STEAD_TRY(store, store::open_sqlite_store(std::move(store_options)));
  STEAD_TRY(sealed, store::seal_store(std::move(store), {options.encryption_keys, {kSecretsPrefix}}));
  plane->store_ = std::move(sealed);
  STEAD_TRY(cache, cache::Cache::open(*plane->store_, plane->loop_));
  plane->cache_ = std::move(cache);
  plane->webhooks_ = apiserver::make_https_webhook_caller(plane->loop_);
  plane->remote_ = apiserver::make_https_remote_api(plane->loop_, credentials.front_proxy.certificate_pem,
                                                    credentials.front_proxy.key_pem);
  apiserver::ApiServerOptions api_options;
  api_options.service_cidr = options.service_cidr;
  api_options.pod_eviction_timeout = options.pod_eviction_timeout;
  api_options.webhooks = plane->webhooks_.get();
  api_options.aggregation = {plane->remote_.get(), true, credentials.ca.certificate_pem};
  api_options.signing_key = credentials.service_accounts;
  api_options.issuer = "https://kubernetes.default.svc." + options.cluster_domain;
  api_options.root_ca_pem = credentials.ca.certificate_pem;
  STEAD_TRY(api, apiserver::ApiServer::make(*plane->store_, *plane->cache_, plane->loop_, system_random(),
                                            std::move(api_options)));
  plane->api_ = std::move(api);
  plane->api_->set_usage_source(make_node_usage(nodes, plane->loop_));
  http::ServerOptions http_options;
  http_options.address = options.bind;
  http_options.port = options.port;
  http_options.tls = {credentials.server.certificate_pem, credentials.server.key_pem, credentials.ca.certificate_pem};
  apiserver::FrontEndOptions front_end;
  front_end.server_address = fmt::format("{}:{}", options.bind, options.port);
  STEAD_TRY(audit, open_audit(options.audit));
  front_end.audit = std::move(audit);
  front_end.ca_pem = credentials.ca.certificate_pem;
  front_end.ready = [raw = plane.get()] { return raw->ready_.load(); };
  STEAD_TRY(http, http::make_server(plane->loop_, std::move(http_options),
                                    apiserver::make_front_end(*plane->api_, nodes, std::move(front_end))));
  plane->http_ = std::move(http);
  plane->port_ = plane->http_->port();
  plane->compact_to_ = plane->store_->revision();
  plane->schedule_compaction();
  plane->loop_.start_thread("api");
  return plane;
}

ControlPlane::~ControlPlane() {
  if (http_) {
    std::promise<void> closed;
    auto over = std::make_shared<std::promise<void>>();
    std::future<void> all_over = over->get_future();
    loop_.post([&, over] {
      http_->shut_down([over] { over->set_value(); });
      closed.set_value();
    });
    closed.get_future().wait();
    all_over.wait_for(kShutDownLimit);
  }
  loop_.stop();
  loop_.join();
  // The store goes before what its callbacks point at: its destructor waits for the commit in progress.
  store_.reset();
}

Result<void> ControlPlane::listen(const std::string& address, uint16_t port) {
  std::promise<Result<void>> answer;
  loop_.post([&] { answer.set_value(http_->listen(address, port)); });
  return answer.get_future().get();
}

void ControlPlane::schedule_compaction() {
  loop_.call_after(kCompactionPeriod, [this] {
    int64_t next = store_->revision();
    if (compact_to_ > 0) {
      Result<void> compacted = store_->compact(compact_to_);
      if (!compacted.ok()) log::debug("store", "not compacted: {}", compacted.error().message);
    }
    compact_to_ = next;
    schedule_compaction();
  });
}

}  // namespace stead::app
