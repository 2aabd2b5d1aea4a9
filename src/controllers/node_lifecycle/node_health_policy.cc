#include "controllers/node_lifecycle/node_health_policy.h"

#include <algorithm>

#include "controllers/pod_state.h"
#include "controllers/requests.h"
#include "object/time.h"

namespace stead::controllers::node_lifecycle {
namespace {

constexpr std::string_view kNotReady = "node.kubernetes.io/not-ready";
constexpr std::string_view kUnreachable = "node.kubernetes.io/unreachable";
constexpr std::string_view kUnschedulable = "node.kubernetes.io/unschedulable";

constexpr Duration kInterval = std::chrono::seconds(10);       // upstream: --node-eviction-rate 0.1
constexpr Duration kSlowInterval = std::chrono::seconds(100);  // --secondary-node-eviction-rate 0.01
constexpr size_t kLargeZone = 50;                              // --large-cluster-size-threshold
constexpr size_t kDisruptedMin = 3;
constexpr size_t kDisruptedPercent = 55;  // --unhealthy-zone-threshold

struct ConditionTaint {
  std::string_view condition;
  std::string_view status;
  std::string_view taint;
};

// Conditions that keep new pods away.
constexpr ConditionTaint kConditionTaints[] = {
    {"Ready", "False", kNotReady},
    {"Ready", "Unknown", kUnreachable},
    {"MemoryPressure", "True", "node.kubernetes.io/memory-pressure"},
    {"DiskPressure", "True", "node.kubernetes.io/disk-pressure"},
    {"PIDPressure", "True", "node.kubernetes.io/pid-pressure"},
    {"NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"},
};

bool holds(const Object& node, const ConditionTaint& one) {
  const Value* condition = find_condition(node, one.condition);
  return condition != nullptr && condition->at("status").as_string() == one.status;
}

bool has_taint(const Value& taints, std::string_view key, std::string_view effect) {
  auto items = taints.items();
  return std::any_of(items.begin(), items.end(), [&](const Value& taint) {
    return taint.at("key").as_string() == key && taint.at("effect").as_string() == effect;
  });
}

void set_taint(Value& taints, std::string_view key, std::string_view effect, bool wanted, const std::string& now) {
  bool has = has_taint(taints, key, effect);
  if (wanted == has) return;
  if (wanted) {
    taints.append(Value::object({{"key", key}, {"effect", effect}, {"timeAdded", now}}));
    return;
  }
  std::erase_if(taints.mutable_items(), [&](const Value& taint) {
    return taint.at("key").as_string() == key && taint.at("effect").as_string() == effect;
  });
}

Value silent_condition(const Object& node, std::string_view type, const std::string& now) {
  const Value* known = find_condition(node, type);
  if (known == nullptr) {
    return Value::object({{"type", type},
                          {"status", "Unknown"},
                          {"reason", "NodeStatusNeverUpdated"},
                          {"message", "Kubelet never posted node status."},
                          {"lastHeartbeatTime", node.metadata().at("creationTimestamp")},
                          {"lastTransitionTime", now}});
  }
  Value condition = *known;
  if (condition.at("status").as_string() == "Unknown") return condition;
  condition.set("status", "Unknown");
  condition.set("reason", "NodeStatusUnknown");
  condition.set("message", "Kubelet stopped posting node status.");
  condition.set("lastTransitionTime", now);
  return condition;
}

// The node with the conditions that its silence leaves unknown; nullopt if it says so already.
std::optional<Value> silenced(const Object& node, const std::string& now) {
  Value document = node.document();
  bool changed = false;
  for (std::string_view type : {"Ready", "MemoryPressure", "DiskPressure", "PIDPressure"}) {
    Value condition = silent_condition(node, type, now);
    const Value* known = find_condition(node, type);
    if (known != nullptr && *known == condition) continue;
    changed = true;
    Value& conditions = document["status"]["conditions"];
    if (conditions.is_null()) conditions = Value::array();
    auto& items = conditions.mutable_items();
    auto at = std::find_if(items.begin(), items.end(),
                           [&](const Value& item) { return item.at("type").as_string() == type; });
    if (at == items.end()) {
      items.push_back(std::move(condition));
    } else {
      *at = std::move(condition);
    }
  }
  return changed ? std::optional(std::move(document)) : std::nullopt;
}

void decide_execution(const Observed& observed, Value& taints, const std::string& now, Decision& decision) {
  std::string_view status = ready_status(*observed.node);
  std::string_view wanted = status == "False" ? kNotReady : status == "Unknown" ? kUnreachable : std::string_view();
  // A node that only changes from one kind of trouble to the other has paid for its eviction already.
  bool had = has_taint(taints, kNotReady, "NoExecute") || has_taint(taints, kUnreachable, "NoExecute");
  if (observed.all_lost) wanted = {};
  if (!wanted.empty() && !had) {
    decision.waits_to_evict = !observed.may_evict;
    decision.evicts = observed.may_evict;
    if (!observed.may_evict) wanted = {};
  }
  for (std::string_view key : {kNotReady, kUnreachable}) set_taint(taints, key, "NoExecute", key == wanted, now);
}

}  // namespace

std::optional<Duration> eviction_interval(const Health& zone) {
  size_t all = zone.ready + zone.not_ready;
  bool disrupted = zone.ready > 0 && zone.not_ready >= kDisruptedMin && zone.not_ready * 100 >= all * kDisruptedPercent;
  if (!disrupted) return kInterval;
  if (all > kLargeZone) return kSlowInterval;
  return std::nullopt;
}

bool is_all_lost(const Health& cluster) { return cluster.ready == 0 && cluster.not_ready > 0; }

std::string zone_of(const Object& node) {
  const Value& labels = node.metadata().at("labels");
  return std::string(labels.at("topology.kubernetes.io/region").as_string()) + ":" +
         std::string(labels.at("topology.kubernetes.io/zone").as_string());
}

std::string_view ready_status(const Object& node) {
  const Value* ready = find_condition(node, "Ready");
  return ready == nullptr ? std::string_view() : ready->at("status").as_string();
}

bool is_ready(const Object& node) { return ready_status(node) == "True"; }

Decision decide(const Observed& observed, const Options& options, Instant now, WallTime wall_now) {
  const Object& node = *observed.node;
  Decision decision;
  if (node.deleting()) return decision;
  std::string text = object::format_time(wall_now);
  Duration allowed = ready_status(node).empty() ? std::max(options.grace, options.startup_grace) : options.grace;
  Duration silent = now - observed.heard;
  if (silent < allowed) {
    decision.look_again = allowed - silent;
  } else if (auto document = silenced(node, text)) {
    decision.update = update_request(kNodes, std::move(*document), "status");
    return decision;
  }
  Value taints = node.spec().at("taints");
  if (taints.is_null()) taints = Value::array();
  for (const ConditionTaint& one : kConditionTaints) {
    set_taint(taints, one.taint, "NoSchedule", holds(node, one), text);
  }
  set_taint(taints, kUnschedulable, "NoSchedule", node.spec().at("unschedulable").as_bool(), text);
  decide_execution(observed, taints, text, decision);
  bool same = taints.empty() ? node.spec().at("taints").empty() : taints == node.spec().at("taints");
  if (same) return decision;
  Value document = node.document();
  if (taints.empty()) {
    document["spec"].erase("taints");
  } else {
    document["spec"].set("taints", std::move(taints));
  }
  decision.update = update_request(kNodes, std::move(document));
  return decision;
}

}  // namespace stead::controllers::node_lifecycle
