#include "apiserver/front_end/request_metrics.h"

#include <algorithm>
#include <array>

namespace stead::apiserver {
namespace {

constexpr int kSwitched = 101;
constexpr int kUnanswered = 500;
constexpr std::array<std::string_view, 15> kSubresources = {"approval",    "attach", "binding",  "ephemeralcontainers",
                                                            "eviction",    "exec",   "finalize", "log",
                                                            "portforward", "proxy",  "resize",   "scale",
                                                            "status",      "token",  ""};
constexpr std::array<std::string_view, 8> kPaths = {"/healthz", "/livez",   "/metrics", "/openapi/v2",
                                                    "/readyz",  "/version", "/api",     "/apis"};
constexpr std::array<std::string_view, 5> kStreams = {"attach", "exec", "log", "portforward", "proxy"};

template <typename List>
bool among(const List& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

struct Kind {
  std::string_view verb, group, version, resource, subresource, scope;
  bool long_running = false;
};

std::string_view verb_of(const http::Request& http, const Route& route, std::string_view subresource) {
  const std::string& method = http.method;
  bool reads = method == "GET" || method == "HEAD";
  if (route.kind != Route::Kind::kResource)
    return reads ? "GET" : among(std::array{"POST", "PUT"}, method) ? "POST" : "other";
  if (subresource != "log" && among(kStreams, subresource)) return "CONNECT";
  if (reads && http.has_flag("watch")) return "WATCH";
  if (reads) return route.name.empty() ? "LIST" : "GET";
  if (method == "PATCH") return http.header("Content-Type").starts_with("application/apply-patch") ? "APPLY" : "PATCH";
  if (method == "DELETE") return route.name.empty() ? "DELETECOLLECTION" : "DELETE";
  return method == "POST" ? "POST" : method == "PUT" ? "PUT" : "other";
}

metrics::Number& in_flight(bool mutating) {
  return metrics::gauge("apiserver_current_inflight_requests",
                        "Requests that are being answered, without watches and streams.",
                        {{"request_kind", mutating ? "mutating" : "readOnly"}});
}

constexpr double kSeconds[] = {0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1,  1.25, 1.5, 2,
                               3,     4,     5,    6,   8,   10,  15,  20,  30, 45,   60};

}  // namespace

class RequestMetrics::MeasuredExchange final : public http::Exchange {
 public:
  MeasuredExchange(http::ExchangePtr inner, std::shared_ptr<RequestMetrics> owner, Series& series)
      : inner_(std::move(inner)), owner_(std::move(owner)), series_(series), begun_(owner_->loop_.now()) {
    series_.under_way->add();
  }
  ~MeasuredExchange() override { end(status_ == 0 ? kUnanswered : status_); }

  const http::Request& request() const override { return inner_->request(); }
  void respond(http::Response response) override {
    end(response.status);
    inner_->respond(std::move(response));
  }
  void start(int status, http::Headers headers) override {
    status_ = status;
    inner_->start(status, std::move(headers));
  }
  void write(http::Bytes chunk) override { inner_->write(std::move(chunk)); }
  void finish() override {
    end(status_);
    inner_->finish();
  }
  size_t queued_bytes() const override { return inner_->queued_bytes(); }
  void on_close(std::function<void()> closed) override { inner_->on_close(std::move(closed)); }
  void on_drain(std::function<void()> drained) override { inner_->on_drain(std::move(drained)); }
  // What another server answers is not seen here.
  void relay(const http::Upstream& upstream, const std::string& target) override {
    status_ = kSwitched;
    inner_->relay(upstream, target);
  }
  void join(http::Request request, const http::Upstream& upstream, const std::string& target, http::Headers headers,
            Joined joined) override {
    status_ = kSwitched;
    inner_->join(std::move(request), upstream, target, std::move(headers), std::move(joined));
  }
  void post(std::function<void()> task) override { inner_->post(std::move(task)); }

 private:
  void end(int status) {
    if (ended_) return;
    ended_ = true;
    series_.under_way->add(-1);
    owner_->count(series_, status, owner_->loop_.now() - begun_);
  }

  const http::ExchangePtr inner_;
  const std::shared_ptr<RequestMetrics> owner_;
  Series& series_;
  const Instant begun_;
  int status_ = 0;
  bool ended_ = false;
};

http::ExchangePtr RequestMetrics::measure(const http::ExchangePtr& exchange, const Route& route) {
  return std::make_shared<MeasuredExchange>(exchange, shared_from_this(), series_of(exchange->request(), route));
}

RequestMetrics::Series& RequestMetrics::series_of(const http::Request& http, const Route& route) {
  Kind kind;
  bool known = false;
  if (route.kind == Route::Kind::kResource) {
    const kinds::Resource* resource = catalogue_.find(route.group, route.resource).resource;
    known = resource != nullptr && resource->version(route.group, route.version) != nullptr &&
            among(kSubresources, route.subresource);
  }
  if (known) {
    kind.group = route.group;
    kind.version = route.version;
    kind.resource = route.resource;
    kind.subresource = route.subresource;
    kind.scope = !route.name.empty() ? "resource" : !route.ns.empty() ? "namespace" : "cluster";
  } else if (route.kind != Route::Kind::kResource && among(kPaths, http.path)) {
    kind.subresource = http.path;
  }
  kind.verb = verb_of(http, route, kind.subresource);
  kind.long_running = kind.verb == "WATCH" || among(kStreams, kind.subresource);
  bool dry = http.query_value("dryRun") == "All";
  std::string key;
  key.reserve(96);
  for (std::string_view part : {kind.verb, kind.group, kind.version, kind.resource, kind.subresource, kind.scope}) {
    key.append(part).push_back('\n');
  }
  if (dry) key.push_back('d');
  Series& series = series_[key];
  if (series.seconds != nullptr) return series;
  auto& [verb, group, version, resource, subresource, scope, dry_run] = series.labels;
  verb = kind.verb, group = kind.group, version = kind.version, resource = kind.resource;
  subresource = kind.subresource, scope = kind.scope, dry_run = dry ? "All" : "";
  bool mutating = kind.verb != "GET" && kind.verb != "LIST";
  series.under_way = &in_flight(mutating);
  if (kind.long_running) {
    series.under_way = &metrics::gauge("apiserver_longrunning_requests", "Watches and streams that are open.",
                                       {{"component", "apiserver"},
                                        {"group", group},
                                        {"resource", resource},
                                        {"scope", scope},
                                        {"subresource", subresource},
                                        {"verb", verb},
                                        {"version", version}});
  }
  series.seconds = &metrics::histogram("apiserver_request_duration_seconds", "How long answers took.",
                                       {{"component", "apiserver"},
                                        {"dry_run", dry_run},
                                        {"group", group},
                                        {"resource", resource},
                                        {"scope", scope},
                                        {"subresource", subresource},
                                        {"verb", verb},
                                        {"version", version}},
                                       kSeconds);
  return series;
}

void RequestMetrics::count(Series& series, int code, Duration took) {
  series.seconds->observe(std::chrono::duration<double>(took).count());
  std::lock_guard lock(mutex_);
  metrics::Number*& counter = series.answers[code];
  if (counter == nullptr) {
    const auto& [verb, group, version, resource, subresource, scope, dry_run] = series.labels;
    counter =
        &metrics::counter("apiserver_request_total", "Requests answered, by what was asked and the code of the answer.",
                          {{"code", std::to_string(code)},
                           {"component", "apiserver"},
                           {"dry_run", dry_run},
                           {"group", group},
                           {"resource", resource},
                           {"scope", scope},
                           {"subresource", subresource},
                           {"verb", verb},
                           {"version", version}});
  }
  counter->add();
}

}  // namespace stead::apiserver
