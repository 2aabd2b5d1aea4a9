#include "controllers/node_lifecycle/taint_eviction_controller.h"

#include "controllers/node_lifecycle/eviction_policy.h"
#include "controllers/node_lifecycle/node_health_policy.h"
#include "controllers/requests.h"

namespace stead::controllers {
namespace {
constexpr size_t kConcurrency = 16;
}

TaintEvictionController::TaintEvictionController(client::ApiTransport& transport, loop::Loop& loop,
                                                 client::EventRecorder& events, client::InformerSet& informers)
    : transport_(transport),
      loop_(loop),
      events_(events),
      informers_(informers),
      nodes_(informers.get(kNodes)),
      pods_(informers.get(kPods, "node", client::index_by_node)),
      queue_(loop, "taint-eviction", kConcurrency, [this](auto& key, auto finish) { work(key, std::move(finish)); }) {
  nodes_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) { node_changed(before, after); });
  pods_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) { pod_changed(before, after); });
}

void TaintEvictionController::start() {
  informers_.when_synced([this] { queue_.start(); });
}

void TaintEvictionController::node_changed(const ObjectPtr& before, const ObjectPtr& after) {
  if (!after) {
    seen_.erase(std::string(before->name()));
    return;
  }
  bool same = before && before->spec().at("taints") == after->spec().at("taints") &&
              node_lifecycle::ready_status(*before) == node_lifecycle::ready_status(*after);
  if (same) return;
  note_taints(*after);
  if (!eviction::concerns_pods(*after)) return;
  for (const ObjectPtr& pod : pods_.by_index("node", std::string(after->name()))) {
    queue_.add(client::object_key(*pod));
  }
}

void TaintEvictionController::note_taints(const object::Object& node) {
  std::map<std::string, WallTime, std::less<>> now;
  std::string name(node.name());
  auto before = seen_.find(name);
  for (const Value& taint : node.spec().at("taints").items()) {
    if (taint.at("effect").as_string() != "NoExecute") continue;
    std::string key(taint.at("key").as_string());
    WallTime since = loop_.wall_now();
    if (before != seen_.end() && before->second.contains(key)) since = before->second.at(key);
    now.emplace(std::move(key), since);
  }
  if (now.empty()) {
    seen_.erase(name);
  } else {
    seen_[name] = std::move(now);
  }
}

void TaintEvictionController::pod_changed(const ObjectPtr& before, const ObjectPtr& after) {
  if (!after) return;
  std::string_view name = after->spec().at("nodeName").as_string();
  if (name.empty()) return;
  ObjectPtr node = nodes_.get(name);
  if (!node || !eviction::concerns_pods(*node)) return;
  bool same = before && before->uid() == after->uid() && before->deleting() == after->deleting() &&
              before->spec() == after->spec() && before->status().at("reason") == after->status().at("reason");
  if (!same) queue_.add(client::object_key(*after));
}

void TaintEvictionController::work(const std::string& key, client::WorkQueue::Finish finish) {
  ObjectPtr pod = pods_.get(key);
  ObjectPtr node = pod ? nodes_.get(pod->spec().at("nodeName").as_string()) : nullptr;
  if (!node) return finish(client::Outcome::done());
  auto seen = [this, name = std::string(node->name())](const Value& taint) {
    auto known = seen_.find(name);
    if (known == seen_.end()) return loop_.wall_now();
    auto at = known->second.find(taint.at("key").as_string());
    return at == known->second.end() ? loop_.wall_now() : at->second;
  };
  client::apply_plan(transport_, events_, eviction::decide({pod, node, seen}, loop_.wall_now()), std::move(finish));
}

}  // namespace stead::controllers
