#include "controllers/endpoints/endpoints_controller.h"

#include <algorithm>

#include "controllers/endpoints/endpoints_policy.h"
#include "controllers/endpoints/slice_policy.h"
#include "controllers/requests.h"
#include "object/selector.h"

namespace stead::controllers {
namespace {

constexpr size_t kWorkers = 16;
// A Service of many pods rests after each round in proportion to its cost, so that a burst of pods becoming ready
// is written in a few rounds; a small one does not notice.
constexpr Duration kRestPerPod = std::chrono::microseconds(20);
constexpr Duration kRestMax = std::chrono::milliseconds(50);
constexpr size_t kRestlessPodsMax = 50;

// "ns/service" of a slice that is ours.
std::vector<std::string> index_by_service(const object::Object& slice) {
  const Value& labels = slice.metadata().at("labels");
  if (labels.at(endpoints::kManagedByLabel).as_string() != endpoints::kSliceController) return {};
  return {client::object_key(slice.ns(), labels.at(endpoints::kServiceNameLabel).as_string())};
}

bool selects(const object::Object& service, const object::Object& pod) {
  const Value& labels = pod.metadata().at("labels");
  std::span<const object::Member> wanted = service.spec().at("selector").members();
  return !wanted.empty() && std::all_of(wanted.begin(), wanted.end(), [&](const object::Member& member) {
    return labels.at(member.name()) == member.value;
  });
}

}  // namespace

EndpointsController::EndpointsController(client::ApiTransport& transport, loop::Loop& loop,
                                         client::EventRecorder& events, client::InformerSet& informers)
    : transport_(transport),
      loop_(loop),
      events_(events),
      informers_(informers),
      services_(informers.get(kServices)),
      pods_(informers.get(kPods)),
      nodes_(informers.get(kNodes)),
      slices_(informers.get(kEndpointSlices, "service", index_by_service)),
      endpoints_(informers.get(kEndpoints)),
      slice_queue_(loop, "endpointslice", kWorkers,
                   [this](auto& key, auto finish) { work_slices(key, std::move(finish)); }),
      endpoints_queue_(loop, "endpoints", kWorkers,
                       [this](auto& key, auto finish) { work_endpoints(key, std::move(finish)); }) {
  services_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    enqueue(client::object_key(after ? *after : *before));
  });
  pods_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) { pod_changed(before, after); });
  slices_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    for (const std::string& key : index_by_service(after ? *after : *before)) slice_queue_.add(key);
  });
  endpoints_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    std::string key = client::object_key(after ? *after : *before);
    if (services_.get(key)) endpoints_queue_.add(key);
  });
}

void EndpointsController::start() {
  informers_.when_synced([this] {
    slice_queue_.start();
    endpoints_queue_.start();
  });
}

void EndpointsController::enqueue(const std::string& key) {
  slice_queue_.add(key);
  endpoints_queue_.add(key);
}

void EndpointsController::pod_changed(const ObjectPtr& before, const ObjectPtr& after) {
  if (before && after && !endpoints::differs_for_services(*before, *after)) return;
  const ObjectPtr& pod = after ? after : before;
  for (const ObjectPtr& service : services_.list_namespace(pod->ns())) {
    if ((before && selects(*service, *before)) || (after && selects(*service, *after))) {
      enqueue(client::object_key(*service));
    }
  }
}

std::vector<ObjectPtr> EndpointsController::pods_of(const object::Object& service) const {
  std::vector<ObjectPtr> found;
  for (ObjectPtr& pod : pods_.list_namespace(service.ns())) {
    if (selects(service, *pod)) found.push_back(std::move(pod));
  }
  return found;
}

void EndpointsController::work_slices(const std::string& key, client::WorkQueue::Finish finish) {
  endpoints::SlicesObserved observed;
  observed.service = services_.get(key);
  // The slices of a Service that is gone go with their owner.
  if (!observed.service || observed.service->deleting() || !endpoints::has_managed_endpoints(*observed.service)) {
    return finish(client::Outcome::done());
  }
  observed.pods = pods_of(*observed.service);
  observed.slices = slices_.by_index("service", key);
  observed.zone = [this](std::string_view name) {
    ObjectPtr node = nodes_.get(name);
    if (!node) return std::string();
    return std::string(node->metadata().at({"labels", "topology.kubernetes.io/zone"}).as_string());
  };
  apply(endpoints::decide_slices(observed), observed.pods.size(), std::move(finish));
}

void EndpointsController::work_endpoints(const std::string& key, client::WorkQueue::Finish finish) {
  ObjectPtr service = services_.get(key);
  if (service && (service->deleting() || !endpoints::has_managed_endpoints(*service))) {
    return finish(client::Outcome::done());
  }
  std::vector<ObjectPtr> pods = service ? pods_of(*service) : std::vector<ObjectPtr>();
  apply(endpoints::decide_endpoints(service, pods, endpoints_.get(key)), pods.size(), std::move(finish));
}

void EndpointsController::apply(client::Plan plan, size_t pods, client::WorkQueue::Finish finish) {
  if (plan.steps.empty() || pods <= kRestlessPodsMax) {
    return client::apply_plan(transport_, events_, std::move(plan), std::move(finish));
  }
  Duration rest = std::min(kRestMax, kRestPerPod * static_cast<int64_t>(pods));
  client::apply_plan(transport_, events_, std::move(plan), [this, rest, finish](client::Outcome outcome) {
    loop_.call_after(rest, [finish, outcome = std::move(outcome)] { finish(outcome); });
  });
}

}  // namespace stead::controllers
