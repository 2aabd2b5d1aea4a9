#include "client/event_recorder.h"

#include <fmt/format.h>

#include <deque>
#include <unordered_map>

#include "base/log.h"
#include "object/time.h"

namespace stead::client {
namespace {

constexpr Duration kSeriesWindow = std::chrono::minutes(10);
constexpr size_t kBurst = 25;
constexpr Duration kRefill = std::chrono::minutes(5);
constexpr size_t kSeriesMax = 4096;
constexpr size_t kPendingMax = 1024;

std::string series_key(const Event& event) {
  return fmt::format("{}\x1f{}\x1f{}\x1f{}\x1f{}", event.about->uid(), event.field_path, event.type, event.reason,
                     event.message);
}

}  // namespace

struct EventRecorder::State : std::enable_shared_from_this<EventRecorder::State> {
  // Equal events share one Event object, patched with a higher count.
  struct Series {
    std::string ns;
    std::string name;
    int64_t count = 0;
    Instant last{};
  };
  // Token bucket per object.
  struct Budget {
    size_t tokens = kBurst;
    Instant refilled{};
  };

  State(ApiTransport& the_transport, loop::Loop& the_loop, std::string the_component, std::string the_host)
      : transport(the_transport), loop(the_loop), component(std::move(the_component)), host(std::move(the_host)) {}

  ApiTransport& transport;
  loop::Loop& loop;
  const std::string component;
  const std::string host;
  std::unordered_map<std::string, Series> series;
  std::unordered_map<std::string, Budget> budgets;
  std::deque<Request> pending;
  bool sending = false;
  uint64_t sequence = 0;

  bool take_token(const std::string& uid) {
    if (budgets.size() > kSeriesMax) budgets.clear();
    Instant now = loop.now();
    auto [found, added] = budgets.try_emplace(uid, Budget{kBurst, now});
    Budget& budget = found->second;
    auto earned = static_cast<size_t>((now - budget.refilled) / kRefill);
    if (earned > 0) {
      budget.tokens = std::min(kBurst, budget.tokens + earned);
      budget.refilled = now;
    }
    if (budget.tokens == 0) return false;
    --budget.tokens;
    return true;
  }

  void record(Event event) {
    if (!event.about || pending.size() >= kPendingMax) return;
    if (!take_token(std::string(event.about->uid()))) return;
    if (series.size() > kSeriesMax) series.clear();
    Series& known = series[series_key(event)];
    bool repeat = known.count > 0 && loop.now() - known.last < kSeriesWindow;
    known.last = loop.now();
    if (repeat) {
      ++known.count;
      pending.push_back(count_request(known));
    } else {
      pending.push_back(create_request(event, known));
    }
    send();
  }

  Request count_request(const Series& known) {
    Request request;
    request.verb = Verb::kPatch;
    request.patch_type = PatchType::kMerge;
    request.resource = "events";
    request.ns = known.ns;
    request.name = known.name;
    request.body = Value::object({{"count", known.count}, {"lastTimestamp", object::format_time(loop.wall_now())}});
    return request;
  }

  Request create_request(const Event& event, Series& known) {
    const Value& document = event.about->document();
    std::string now = object::format_time(loop.wall_now());
    known.ns = event.about->ns().empty() ? "default" : std::string(event.about->ns());
    known.name =
        fmt::format("{}.{:x}", event.about->name(),
                    loop.wall_now().time_since_epoch().count() * 1000 + static_cast<int64_t>(++sequence % 1000));
    known.count = 1;
    Value involved = Value::object({{"kind", document.at("kind")},
                                    {"apiVersion", document.at("apiVersion")},
                                    {"name", event.about->name()},
                                    {"uid", event.about->uid()},
                                    {"resourceVersion", std::to_string(event.about->revision())}});
    if (!event.about->ns().empty()) involved.set("namespace", event.about->ns());
    if (!event.field_path.empty()) involved.set("fieldPath", event.field_path);
    Value source = Value::object({{"component", component}});
    if (!host.empty()) source.set("host", host);
    Request request;
    request.verb = Verb::kCreate;
    request.resource = "events";
    request.ns = known.ns;
    request.body = Value::object({{"apiVersion", "v1"},
                                  {"kind", "Event"},
                                  {"metadata", Value::object({{"name", known.name}, {"namespace", known.ns}})},
                                  {"involvedObject", std::move(involved)},
                                  {"reason", event.reason},
                                  {"message", std::string_view(event.message).substr(0, 1024)},
                                  {"type", event.type},
                                  {"count", 1},
                                  {"firstTimestamp", now},
                                  {"lastTimestamp", now},
                                  {"reportingComponent", component},
                                  {"source", std::move(source)}});
    if (!host.empty()) request.body.set("reportingInstance", host);
    return request;
  }

  // One at a time, in order. A lost event is logged, never retried: events are best effort.
  void send() {
    if (sending || pending.empty()) return;
    sending = true;
    Request request = std::move(pending.front());
    pending.pop_front();
    transport.call(std::move(request), [weak = weak_from_this()](const Result<Response>& response) {
      auto self = weak.lock();
      if (!self) return;
      if (!response.ok()) log::debug("events", "not recorded: {}", response.error().message);
      self->sending = false;
      self->send();
    });
  }
};

EventRecorder::EventRecorder(ApiTransport& transport, loop::Loop& loop, std::string component, std::string host)
    : state_(std::make_shared<State>(transport, loop, std::move(component), std::move(host))) {}

EventRecorder::~EventRecorder() = default;

void EventRecorder::record(Event event) { state_->record(std::move(event)); }

}  // namespace stead::client
