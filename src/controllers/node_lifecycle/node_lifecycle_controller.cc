#include "controllers/node_lifecycle/node_lifecycle_controller.h"

#include "controllers/apply_plans.h"
#include "controllers/pod_state.h"
#include "controllers/requests.h"
#include "object/time.h"

namespace stead::controllers {
namespace {

using node_lifecycle::ready_status;

const ResourceRef kLeases{"coordination.k8s.io", "leases"};
constexpr std::string_view kLeaseNamespace = "kube-node-lease";
constexpr size_t kConcurrency = 8;

// Any report of the node itself renews the time of its Ready condition.
bool is_heartbeat(const object::Object& before, const object::Object& after) {
  const Value* was = find_condition(before, "Ready");
  const Value* is = find_condition(after, "Ready");
  return is != nullptr && (was == nullptr || was->at("lastHeartbeatTime") != is->at("lastHeartbeatTime"));
}

bool counts_as_ready(const object::Object& node) { return ready_status(node) == "True"; }

}  // namespace

NodeLifecycleController::NodeLifecycleController(client::ApiTransport& transport, loop::Loop& loop,
                                                 client::EventRecorder& events, client::InformerSet& informers,
                                                 node_lifecycle::Options options)
    : transport_(transport),
      loop_(loop),
      events_(events),
      informers_(informers),
      options_(options),
      nodes_(informers.get(kNodes)),
      leases_(informers.get(kLeases)),
      pods_(informers.get(kPods, "node", client::index_by_node)),
      queue_(loop, "node-lifecycle", kConcurrency, [this](auto& name, auto finish) { work(name, std::move(finish)); }) {
  nodes_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) { node_changed(before, after); });
  leases_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) { lease_changed(before, after); });
}

void NodeLifecycleController::start() {
  informers_.when_synced([this] {
    // What was said before this server ran is no news: every node has its whole grace from here on.
    for (auto& [name, heard] : heard_) heard = loop_.now();
    queue_.start();
  });
}

void NodeLifecycleController::lease_changed(const ObjectPtr& before, const ObjectPtr& after) {
  if (!after || after->ns() != kLeaseNamespace) return;
  if (before && before->spec().at("renewTime") == after->spec().at("renewTime")) return;
  auto known = heard_.find(after->name());
  if (known != heard_.end()) known->second = loop_.now();
}

void NodeLifecycleController::node_changed(const ObjectPtr& before, const ObjectPtr& after) {
  const ObjectPtr& node = after ? after : before;
  std::string name(node->name());
  if (before) count(*before, -1);
  if (after) count(*after, 1);
  if (!after || (before && before->uid() != after->uid())) {
    heard_.erase(name);
    marked_.erase(name);
    not_ready_.erase(name);
  }
  if (after) {
    heard_.try_emplace(name, loop_.now());
    if (before && is_heartbeat(*before, *after)) heard_[name] = loop_.now();
    // Our own writes carry no new heartbeat, so that they do not count as a sign of life.
    if (counts_as_ready(*after)) {
      not_ready_.erase(name);
    } else {
      not_ready_.insert(name);
    }
    queue_.add(name);
  }
  // How many are well decides what may be done to the others.
  bool was_ready = before && counts_as_ready(*before);
  bool now_ready = after && counts_as_ready(*after);
  if (was_ready != now_ready) {
    for (const std::string& other : not_ready_) queue_.add(other);
  }
}

void NodeLifecycleController::count(const object::Object& node, int change) {
  if (ready_status(node).empty()) return;
  bool ready = counts_as_ready(node);
  for (node_lifecycle::Health* health : {&all_, &zones_[node_lifecycle::zone_of(node)]}) {
    (ready ? health->ready : health->not_ready) += static_cast<size_t>(change);
  }
}

void NodeLifecycleController::work(const std::string& name, client::WorkQueue::Finish finish) {
  ObjectPtr node = nodes_.get(name);
  if (!node) return finish(client::Outcome::done());
  Instant now = loop_.now();
  std::string zone = node_lifecycle::zone_of(*node);
  auto interval = node_lifecycle::eviction_interval(zones_[zone]);
  auto last = evicted_.find(zone);
  bool may_evict = interval && (last == evicted_.end() || now >= last->second + *interval);
  auto decision =
      decide({node, heard_[name], node_lifecycle::is_all_lost(all_), may_evict}, options_, now, loop_.wall_now());
  if (decision.evicts) evicted_[zone] = now;
  std::vector<client::Plan> plans;
  if (decision.update) plans.push_back({.steps = {{.request = std::move(*decision.update)}}});
  std::optional<Duration> again = decision.look_again;
  if (decision.waits_to_evict && interval) {
    Duration wait = last->second + *interval - now;
    again = again ? std::min(*again, wait) : wait;
  }
  std::string transition;
  std::string_view status = ready_status(*node);
  if (status == "False" || status == "Unknown") {
    transition = find_condition(*node, "Ready")->at("lastTransitionTime").as_string();
    if (marked_[name] != transition) {
      for (client::Plan& plan : mark_pods(*node)) plans.push_back(std::move(plan));
    }
  }
  apply_plans(transport_, events_, std::move(plans),
              [this, name, transition, again, finish = std::move(finish)](client::Outcome outcome) {
                if (!outcome.error && nodes_.get(name)) marked_[name] = transition;
                if (!outcome.error) outcome.requeue_after = again;
                finish(std::move(outcome));
              });
}

// Nobody knows how they are: services stop sending to them.
std::vector<client::Plan> NodeLifecycleController::mark_pods(const object::Object& node) const {
  std::vector<client::Plan> plans;
  for (const ObjectPtr& pod : pods_.by_index("node", std::string(node.name()))) {
    const Value* ready = find_condition(*pod, "Ready");
    if (ready == nullptr || ready->at("status").as_string() != "True") continue;
    Value condition = *ready;
    condition.set("status", "False");
    condition.set("lastTransitionTime", object::format_time(loop_.wall_now()));
    client::Request request = patch_request(
        kPods, *pod,
        Value::object({{"metadata", Value::object({{"uid", pod->uid()}})},
                       {"status", Value::object({{"conditions", Value::array({std::move(condition)})}})}}),
        "status");
    request.patch_type = client::PatchType::kStrategicMerge;
    client::Plan plan;
    plan.steps.push_back({.request = std::move(request),
                          .tolerated = {Reason::kNotFound, Reason::kConflict},
                          .event_on_success = client::Event{pod, "Warning", "NodeNotReady", "Node is not ready", ""}});
    plans.push_back(std::move(plan));
  }
  return plans;
}

}  // namespace stead::controllers
