#include "network/ingress/ingress_controller.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/log.h"
#include "client/event_recorder.h"
#include "client/informer.h"
#include "network/ingress/route_policy.h"

namespace stead::network::ingress {
namespace {

using client::Informer;
using object::Object;
using object::ObjectPtr;
using object::Value;

constexpr Duration kRetryFirst = std::chrono::milliseconds(100);
constexpr Duration kRetryMax = std::chrono::seconds(30);
constexpr Duration kSteadyAfter = std::chrono::minutes(1);
constexpr Duration kStatusRetry = std::chrono::seconds(1);
constexpr std::string_view kServiceNameLabel = "kubernetes.io/service-name";

std::vector<std::string> service_of_slice(const Object& slice) {
  std::string_view name = slice.metadata().at({"labels", kServiceNameLabel}).as_string();
  if (name.empty()) return {};
  return {std::string(slice.ns()) + "/" + std::string(name)};
}

// What Ingresses name; followed from the first Ingress of ours on.
struct Backing {
  Backing(client::ApiTransport& transport, loop::Loop& loop)
      : services(transport, loop, {"", "services"}),
        slices(transport, loop, {"discovery.k8s.io", "endpointslices"}),
        secrets(transport, loop, {"", "secrets"}) {
    slices.add_index("service", service_of_slice);
  }
  bool synced() const { return services.synced() && slices.synced() && secrets.synced(); }

  Informer services;
  Informer slices;
  Informer secrets;
};

}  // namespace

//   idle ──change──▶ posted ──▶ applying (on the pool) ──ok──▶ idle, or posted again if more has changed
//                      ▲            └──error──▶ waiting ──back-off──┐
//                      └──back-off── waiting ◀── the process ended   │
//                      └────────────────────────────────────────────┘
struct IngressController::State : std::enable_shared_from_this<State> {
  State(client::ApiTransport& the_transport, loop::Loop& the_loop, loop::WorkerPool& the_pool,
        std::shared_ptr<LoadBalancerAdapter> the_balancer, std::string the_address)
      : transport(the_transport),
        loop(the_loop),
        pool(the_pool),
        balancer(std::move(the_balancer)),
        address(std::move(the_address)),
        events(transport, loop, "ingress-controller"),
        ingresses(transport, loop, {"networking.k8s.io", "ingresses"}),
        classes(transport, loop, {"networking.k8s.io", "ingressclasses"}) {}

  client::ApiTransport& transport;
  loop::Loop& loop;
  loop::WorkerPool& pool;
  const std::shared_ptr<LoadBalancerAdapter> balancer;
  const std::string address;
  client::EventRecorder events;
  Informer ingresses;
  Informer classes;
  std::optional<Backing> backing;
  enum class Phase : uint8_t { kIdle, kPosted, kApplying, kWaiting } phase = Phase::kIdle;
  bool changed = false;
  bool stopped = false;  // the balancer is known not to run
  Duration retry_delay = kRetryFirst;
  Instant failed_at{};
  Decision decision;
  std::map<std::string, Result<std::string>> certificates;  // by uid and revision of the secret
  std::map<std::string, std::set<Problem>> told;            // by ingress
  std::set<std::string> published;                          // ingresses whose status is ours
  std::set<std::string> publishing;

  bool synced() const { return ingresses.synced() && classes.synced() && (!backing || backing->synced()); }

  void follow() {
    balancer->on_end([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->balancer_ended();
    });
    for (Informer* informer : {&ingresses, &classes}) {
      informer->on_change([this](const auto&, const auto&) { note_change(); });
      informer->when_synced([this] { note_change(); });
      informer->start();
    }
  }

  void follow_backing() {
    backing.emplace(transport, loop);
    auto follow = [this](Informer& informer, std::set<std::string> Decision::*named, auto key_of) {
      informer.on_change([this, named, key_of](const ObjectPtr& before, const ObjectPtr& after) {
        const Object& object = after ? *after : *before;
        for (const std::string& key : key_of(object)) {
          if ((decision.*named).contains(key)) return note_change();
        }
      });
      informer.when_synced([this] { note_change(); });
      informer.start();
    };
    auto own_key = [](const Object& object) { return std::vector<std::string>{client::object_key(object)}; };
    follow(backing->services, &Decision::services, own_key);
    follow(backing->slices, &Decision::services, service_of_slice);
    follow(backing->secrets, &Decision::secrets, own_key);
  }

  // Changes that come together, or while others are applied, are applied as one.
  void note_change() {
    changed = true;
    if (phase != Phase::kIdle || !synced()) return;
    phase = Phase::kPosted;
    loop.post([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->apply();
    });
  }

  void observe() {
    Observed observed;
    observed.ingresses = ingresses.list();
    observed.classes = classes.list();
    observed.service = [this](const std::string& key) { return backing ? backing->services.get(key) : nullptr; };
    observed.slices = [this](const std::string& key) {
      return backing ? backing->slices.by_index("service", key) : std::vector<ObjectPtr>();
    };
    observed.secret = [this](const std::string& key) { return backing ? backing->secrets.get(key) : nullptr; };
    std::map<std::string, Result<std::string>> used;
    observed.certificate = [this, &used](const Object& secret) {
      std::string key = std::string(secret.uid()) + "/" + std::to_string(secret.revision());
      auto known = certificates.find(key);
      Result<std::string> pem = known != certificates.end() ? known->second : read_certificate(secret);
      used.insert_or_assign(key, pem);
      return pem;
    };
    decision = decide(observed);
    certificates = std::move(used);
  }

  void apply() {
    changed = false;
    observe();
    if (!decision.served.empty() && !backing) {
      follow_backing();
      phase = Phase::kIdle;  // their lists bring the next change
      return;
    }
    if (!synced()) {
      phase = Phase::kIdle;
      return;
    }
    tell_problems();
    if (decision.served.empty() && stopped) {
      phase = Phase::kIdle;
      return publish();
    }
    phase = Phase::kApplying;
    stopped = decision.served.empty();
    pool.run(
        [weak = weak_from_this(), &the_loop = loop, target = balancer, stop = stopped, wanted = decision.balancer] {
          Result<void> result = stop ? target->stop() : target->apply(wanted);
          the_loop.post([weak, result = std::move(result)] {
            if (auto self = weak.lock()) self->finish(result);
          });
        });
  }

  void finish(const Result<void>& result) {
    if (!result.ok()) {
      stopped = false;
      log::warning("ingress", "{}; again in {} ms", result.error().message, retry_delay.count() / 1000);
      for (const Decision::Served& served : decision.served) {
        events.record({served.ingress, "Warning", "NotServed", result.error().message, {}});
      }
      return wait();
    }
    phase = Phase::kIdle;
    publish();
    if (changed) note_change();
  }

  void wait() {
    phase = Phase::kWaiting;
    if (loop.now() - failed_at > kSteadyAfter) retry_delay = kRetryFirst;
    failed_at = loop.now();
    loop.call_after(retry_delay, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->apply();
    });
    retry_delay = std::min(retry_delay * 2, kRetryMax);
  }

  void balancer_ended() {
    if (stopped) return;
    log::warning("ingress", "the load balancer has ended");
    changed = true;
    if (phase == Phase::kIdle) wait();
  }

  void tell_problems() {
    std::map<std::string, std::set<Problem>> now;
    for (const Decision::Served& served : decision.served) {
      const std::string key = client::object_key(*served.ingress);
      for (const Problem& problem : served.problems) {
        now[key].insert(problem);
        if (told[key].contains(problem)) continue;
        events.record({served.ingress, "Warning", problem.reason, problem.message, {}});
      }
    }
    told = std::move(now);
  }

  // status.loadBalancer of what is served, and nothing there for what is not any more.
  void publish() {
    std::set<std::string> served;
    const Value ours = Value::array({Value::object({{"ip", address}})});
    for (const Decision::Served& each : decision.served) {
      const std::string key = client::object_key(*each.ingress);
      served.insert(key);
      published.insert(key);
      ObjectPtr ingress = ingresses.get(key);
      if (ingress && !(ingress->status().at({"loadBalancer", "ingress"}) == ours)) write_status(key, *ingress, ours);
    }
    for (auto each = published.begin(); each != published.end();) {
      ObjectPtr ingress = ingresses.get(*each);
      if (!served.contains(*each) && ingress && ingress->status().at({"loadBalancer", "ingress"}) == ours) {
        write_status(*each, *ingress, Value());
      }
      each = served.contains(*each) ? std::next(each) : published.erase(each);
    }
  }

  void write_status(const std::string& key, const Object& ingress, Value addresses) {
    if (!publishing.insert(key).second) return;
    client::Request request;
    request.verb = client::Verb::kPatch;
    request.group = "networking.k8s.io";
    request.resource = "ingresses";
    request.subresource = "status";
    request.ns = ingress.ns();
    request.name = ingress.name();
    request.patch_type = client::PatchType::kMerge;
    request.body.set({"status", "loadBalancer", "ingress"}, std::move(addresses));
    transport.call(std::move(request), [weak = weak_from_this(), key](const Result<client::Response>& response) {
      auto self = weak.lock();
      if (!self) return;
      self->publishing.erase(key);
      if (response.ok() || response.error().reason == Reason::kNotFound) return;
      log::warning("ingress", "status of {}: {}", key, response.error().message);
      self->loop.call_after(kStatusRetry, [weak] {
        if (auto alive = weak.lock()) alive->note_change();
      });
    });
  }
};

IngressController::IngressController(client::ApiTransport& transport, loop::Loop& loop, loop::WorkerPool& pool,
                                     std::shared_ptr<LoadBalancerAdapter> balancer, std::string address)
    : state_(std::make_shared<State>(transport, loop, pool, std::move(balancer), std::move(address))) {}

IngressController::~IngressController() = default;

void IngressController::start() { state_->follow(); }

bool IngressController::settled() const {
  return state_->synced() && state_->phase == State::Phase::kIdle && !state_->changed;
}

}  // namespace stead::network::ingress
