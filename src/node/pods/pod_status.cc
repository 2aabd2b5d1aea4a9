#include "node/pods/pod_status.h"

#include <fmt/format.h>

#include <algorithm>

#include "kinds/meta/conditions.h"
#include "object/time.h"

namespace stead::node {
namespace {

using object::Value;

std::string container_id(const std::string& scheme, const std::string& id) {
  return id.empty() ? id : scheme + "://" + id;
}

Value waiting_state(const std::string& reason, const std::string& message) {
  Value waiting = Value::object({{"reason", reason}});
  if (!message.empty()) waiting.set("message", message);
  return Value::object({{"waiting", std::move(waiting)}});
}

Value mounts_status(const Value& container) {
  Value mounts = Value::array();
  for (const Value& mount : container.at("volumeMounts").items()) {
    Value status = Value::object({{"name", mount.at("name")}, {"mountPath", mount.at("mountPath")}});
    if (mount.at("readOnly").as_bool()) {
      status.set("readOnly", true);
      status.set("recursiveReadOnly", "Disabled");
    }
    mounts.append(std::move(status));
  }
  return mounts;
}

Value container_status(const PodShape& shape, size_t index, const StatusInput& input) {
  const ContainerReport& report = input.containers[index];
  const ContainerShape& container = shape.containers[index];
  Value state;
  Value last = report.last_terminated;
  bool running = report.phase == ContainerPhase::kRunning || report.phase == ContainerPhase::kStopping;
  bool has_ended = report.current && report.current->state == ContainerState::kExited;
  if (running && report.current && !has_ended) {
    state =
        Value::object({{"running", Value::object({{"startedAt", object::format_time(report.current->started_at)}})}});
  } else if (has_ended && report.waiting_reason.empty()) {
    state = Value::object({{"terminated", terminated_state(*report.current, input.runtime_scheme)}});
  } else {
    if (has_ended) last = terminated_state(*report.current, input.runtime_scheme);
    std::string usual = shape.has_init_containers() ? "PodInitializing" : "ContainerCreating";
    state = waiting_state(report.waiting_reason.empty() ? usual : report.waiting_reason, report.waiting_message);
  }
  bool is_live = running && !has_ended;
  Value status = Value::object({{"name", container.name},
                                {"state", std::move(state)},
                                {"lastState", Value::object()},
                                {"ready", report.ready},
                                {"restartCount", static_cast<int64_t>(report.restart_count)},
                                {"image", container.document->at("image")},
                                {"imageID", ""},
                                {"started", is_live && report.started}});
  if (!last.is_null()) status.set({"lastState", "terminated"}, std::move(last));
  if (report.current) {
    status.set("imageID", report.current->image_ref);
    status.set("containerID", container_id(input.runtime_scheme, report.current->id));
  }
  Value mounts = mounts_status(*container.document);
  if (!mounts.empty()) status.set("volumeMounts", std::move(mounts));
  if (!report.resources.empty()) status.set("resources", report.resources);
  if (report.current && is_resizable(container.kind) && !container.resources().at("requests").empty()) {
    status.set("allocatedResources", container.resources().at("requests"));
  }
  return status;
}

// pkg/kubelet getPhase, as the Pod lifecycle document describes it.
std::string_view phase_of(const PodShape& shape, const StatusInput& input) {
  if (!input.failed_reason.empty()) return "Failed";
  size_t waiting = 0, running = 0, stopped = 0, succeeded = 0;
  bool init_pending = false;
  bool init_failed = false;
  bool main_seen = false;
  for (size_t i = 0; i < shape.containers.size(); ++i) {
    const ContainerReport& report = input.containers[i];
    const ContainerShape& container = shape.containers[i];
    if (container.kind == ContainerKind::kEphemeral) continue;
    bool ended = report.current && report.current->state == ContainerState::kExited;
    if (container.kind != ContainerKind::kMain) {
      if (container.kind == ContainerKind::kSidecar) {
        if (!report.started) init_pending = true;
      } else if (!ended) {
        init_pending = true;
      } else if (report.current->exit_code != 0) {
        (container.restarts_after(report.current->exit_code) ? init_pending : init_failed) = true;
      }
      continue;
    }
    if (report.current || !report.last_terminated.is_null()) main_seen = true;
    if (ended || (report.phase == ContainerPhase::kAbsent && !report.last_terminated.is_null())) {
      ++stopped;
      int64_t code = ended ? report.current->exit_code : report.last_terminated.at("exitCode").as_int();
      if (code == 0) ++succeeded;
    } else if (report.current &&
               (report.phase == ContainerPhase::kRunning || report.phase == ContainerPhase::kStopping)) {
      ++running;
    } else {
      ++waiting;
    }
  }
  bool all_succeeded = stopped == succeeded;
  if (init_failed && !main_seen) return "Failed";
  if (input.ended || (input.finished && running == 0 && waiting == 0)) {
    return all_succeeded && waiting == 0 && stopped > 0 && !init_failed ? "Succeeded" : "Failed";
  }
  if (init_pending && !main_seen) return "Pending";
  if (waiting > 0) return "Pending";
  return running > 0 || stopped > 0 ? "Running" : "Pending";
}

std::string name_list(const std::vector<std::string>& names) { return fmt::format("[{}]", fmt::join(names, " ")); }

struct Condition {
  bool holds = false;
  std::string reason;
  std::string message;
};

Condition initialized_condition(const PodShape& shape, const StatusInput& input, std::string_view phase) {
  if (phase == "Succeeded") return {true, "PodCompleted", ""};
  std::vector<std::string> incomplete;
  bool main_seen = false;
  for (size_t i = 0; i < shape.containers.size(); ++i) {
    const ContainerReport& report = input.containers[i];
    switch (shape.containers[i].kind) {
      case ContainerKind::kMain:
        if (report.current) main_seen = true;
        break;
      case ContainerKind::kSidecar:
        if (!report.started) incomplete.push_back(shape.containers[i].name);
        break;
      case ContainerKind::kInit:
        if (!report.current || report.current->state != ContainerState::kExited || report.current->exit_code != 0) {
          incomplete.push_back(shape.containers[i].name);
        }
        break;
      case ContainerKind::kEphemeral:
        break;
    }
  }
  if (incomplete.empty() || main_seen) return {true, "", ""};
  return {false, "ContainersNotInitialized", "containers with incomplete status: " + name_list(incomplete)};
}

Condition containers_ready_condition(const PodShape& shape, const StatusInput& input, std::string_view phase) {
  if (phase == "Succeeded") return {false, "PodCompleted", ""};
  if (phase == "Failed") return {false, "PodFailed", ""};
  std::vector<std::string> unready;
  for (size_t i = 0; i < shape.containers.size(); ++i) {
    ContainerKind kind = shape.containers[i].kind;
    bool counts = kind == ContainerKind::kMain || kind == ContainerKind::kSidecar;
    if (counts && !input.containers[i].ready) {
      unready.push_back(shape.containers[i].name);
    }
  }
  if (unready.empty()) return {true, "", ""};
  return {false, "ContainersNotReady", "containers with unready status: " + name_list(unready)};
}

Condition ready_condition(const PodShape& shape, const Value& old, const Condition& containers) {
  if (!containers.holds) return containers;
  std::vector<std::string> unmet;
  for (const Value& gate : shape.spec().at("readinessGates").items()) {
    std::string type(gate.at("conditionType").as_string());
    const Value* found = kinds::find_condition(old, type);
    if (found == nullptr) {
      unmet.push_back(fmt::format("corresponding condition of pod readiness gate \"{}\" does not exist.", type));
    } else if (found->at("status").as_string() != "True") {
      unmet.push_back(fmt::format("the status of pod readiness gate \"{}\" is not \"True\", but {}", type,
                                  found->at("status").as_string()));
    }
  }
  if (unmet.empty()) return {true, "", ""};
  return {false, "ReadinessGatesNotReady", fmt::format("{}", fmt::join(unmet, ", "))};
}

Value condition_value(const PodShape& shape, const Value& status_before, std::string_view type,
                      const Condition& condition, WallTime now) {
  std::string_view status = condition.holds ? "True" : "False";
  const Value* old = kinds::find_condition(status_before, type);
  Value value = Value::object({{"type", type}, {"status", status}});
  bool same = old != nullptr && old->at("status").as_string() == status && old->at("lastTransitionTime").is_string();
  value.set("lastProbeTime", Value());
  value.set("lastTransitionTime", same ? old->at("lastTransitionTime") : Value(object::format_time(now)));
  if (!condition.reason.empty()) value.set("reason", condition.reason);
  if (!condition.message.empty()) value.set("message", condition.message);
  const Value& generation = shape.pod->metadata().at("generation");
  if (generation.is_int()) value.set("observedGeneration", generation);
  return value;
}

// Equal but for what the API leaves out: null, "", false, 0, {} and [] read like a missing member.
bool is_blank(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      return true;
    case Value::Kind::kBool:
      return !value.as_bool();
    case Value::Kind::kInt:
      return value.as_int() == 0;
    case Value::Kind::kString:
      return value.as_string().empty();
    case Value::Kind::kArray:
      return value.empty();
    case Value::Kind::kObject:
      for (const auto& member : value.members()) {
        if (!is_blank(member.value)) return false;
      }
      return true;
    case Value::Kind::kDouble:
      return value.as_double() == 0;
  }
  return false;
}

bool reads_same(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return is_blank(a) && is_blank(b);
  if (a.is_object()) {
    for (const auto& member : a.members()) {
      if (!reads_same(member.value, b.at(member.name()))) return false;
    }
    for (const auto& member : b.members()) {
      if (a.find(member.name()) == nullptr && !is_blank(member.value)) return false;
    }
    return true;
  }
  if (!a.is_array()) return a == b;
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!reads_same(a.items()[i], b.items()[i])) return false;
  }
  return true;
}

Value address_list(const std::vector<std::string>& addresses) {
  Value list = Value::array();
  for (const std::string& address : addresses) list.append(Value::object({{"ip", address}}));
  return list;
}

}  // namespace

Value terminated_state(const ContainerStatus& status, const std::string& runtime_scheme) {
  Value state = Value::object({{"exitCode", static_cast<int64_t>(status.exit_code)}});
  std::string reason = status.reason;
  if (reason.empty()) reason = status.exit_code == 0 ? "Completed" : "Error";
  state.set("reason", reason);
  if (!status.message.empty()) state.set("message", status.message);
  if (status.started_at.time_since_epoch().count() > 0) {
    state.set("startedAt", object::format_time(status.started_at));
  }
  if (status.finished_at.time_since_epoch().count() > 0) {
    state.set("finishedAt", object::format_time(status.finished_at));
  }
  state.set("containerID", container_id(runtime_scheme, status.id));
  return state;
}

Value build_pod_status(const PodShape& shape, const Value& old, const StatusInput& input) {
  std::string_view phase = phase_of(shape, input);
  // A pod that has ended never comes back to life.
  std::string_view old_phase = old.at("phase").as_string();
  if (old_phase == "Succeeded" || old_phase == "Failed") phase = old_phase;
  Value status = Value::object({{"phase", phase}});
  if (!input.failed_reason.empty()) {
    status.set("reason", input.failed_reason);
    status.set("message", input.failed_message);
  } else if (old_phase == "Failed") {
    status.set("reason", old.at("reason"));
    status.set("message", old.at("message"));
  }
  Condition containers = containers_ready_condition(shape, input, phase);
  Value conditions = Value::array();
  auto add = [&](std::string_view type, const Condition& condition) {
    conditions.append(condition_value(shape, old, type, condition, input.now));
  };
  add("PodReadyToStartContainers", {input.sandbox_ready, "", ""});
  add("Initialized", initialized_condition(shape, input, phase));
  add("Ready", ready_condition(shape, old, containers));
  add("ContainersReady", containers);
  add("PodScheduled", {true, "", ""});
  // KEP-3329: who counts a pod's failures can tell this one from its own.
  if (input.failed_reason == "Evicted") {
    add("DisruptionTarget", {true, "TerminationByKubelet", input.failed_message});
  }
  auto add_resize = [&](const char* type, std::string reason, std::string message, int64_t generation) {
    Value value = condition_value(shape, old, type, {true, std::move(reason), std::move(message)}, input.now);
    if (generation > 0) value.set("observedGeneration", generation);
    conditions.append(std::move(value));
  };
  const ResizeState& resize = input.resize;
  if (!resize.pending_reason.empty()) {
    add_resize("PodResizePending", resize.pending_reason, resize.pending_message, resize.pending_generation);
  }
  if (resize.in_progress) {
    add_resize("PodResizeInProgress", resize.error.empty() ? "" : "Error", resize.error, resize.in_progress_generation);
  }
  status.set("conditions", std::move(conditions));
  if (!input.host_ips.empty()) {
    status.set("hostIP", input.host_ips.front());
    status.set("hostIPs", address_list(input.host_ips));
  }
  if (!input.ips.empty()) {
    status.set("podIP", input.ips.front());
    status.set("podIPs", address_list(input.ips));
  }
  status.set("startTime", input.start_time);
  status.set("qosClass", old.at("qosClass").is_string() ? old.at("qosClass") : Value(qos_class(shape.spec())));
  const Value& generation = shape.pod->metadata().at("generation");
  if (generation.is_int()) status.set("observedGeneration", generation);
  Value inits = Value::array();
  Value mains = Value::array();
  Value ephemerals = Value::array();
  for (size_t i = 0; i < shape.containers.size(); ++i) {
    Value one = container_status(shape, i, input);
    ContainerKind kind = shape.containers[i].kind;
    Value& list = kind == ContainerKind::kMain ? mains : kind == ContainerKind::kEphemeral ? ephemerals : inits;
    list.append(std::move(one));
  }
  if (!inits.empty()) status.set("initContainerStatuses", std::move(inits));
  if (!mains.empty()) status.set("containerStatuses", std::move(mains));
  if (!ephemerals.empty()) status.set("ephemeralContainerStatuses", std::move(ephemerals));
  return status;
}

Value status_patch(const object::Object& pod, const Value& current, const Value& desired) {
  Value patch = Value::object();
  constexpr std::string_view kFields[] = {"phase",
                                          "reason",
                                          "message",
                                          "hostIP",
                                          "podIP",
                                          "startTime",
                                          "qosClass",
                                          "observedGeneration",
                                          "initContainerStatuses",
                                          "containerStatuses",
                                          "ephemeralContainerStatuses"};
  for (std::string_view field : kFields) {
    if (reads_same(desired.at(field), current.at(field))) continue;
    patch.set(field, desired.at(field));
  }
  for (std::string_view field : {"hostIPs", "podIPs"}) {
    if (reads_same(desired.at(field), current.at(field))) continue;
    // These lists merge by `ip`: without the directive, addresses of an earlier sandbox would stay.
    std::vector<Value> items{Value::object({{"$patch", "replace"}})};
    for (const Value& item : desired.at(field).items()) items.push_back(item);
    patch.set(field, Value::array(std::move(items)));
  }
  Value conditions = Value::array();
  for (const Value& condition : desired.at("conditions").items()) {
    std::string_view type = condition.at("type").as_string();
    const Value* old = kinds::find_condition(current, type);
    if (old != nullptr && type == "PodScheduled" && old->at("status").as_string() == "True") continue;
    bool same = old != nullptr;
    for (std::string_view field : {"status", "reason", "message", "observedGeneration"}) {
      same = same && reads_same(old->at(field), condition.at(field));
    }
    if (same) continue;
    Value change = condition;
    // What the old entry has and the new one has not must go.
    for (std::string_view field : {"reason", "message"}) {
      if (old != nullptr && old->find(field) != nullptr && condition.find(field) == nullptr) change.set(field, Value());
    }
    conditions.append(std::move(change));
  }
  for (std::string_view type : {"PodResizePending", "PodResizeInProgress"}) {
    if (kinds::find_condition(current, type) == nullptr || kinds::find_condition(desired, type) != nullptr) continue;
    conditions.append(Value::object({{"type", type}, {"$patch", "delete"}}));
  }
  if (!conditions.empty()) patch.set("conditions", std::move(conditions));
  if (patch.empty()) return {};
  return Value::object({{"metadata", Value::object({{"uid", pod.uid()}})}, {"status", std::move(patch)}});
}

}  // namespace stead::node
