#include "kinds/core/pod_cells.h"

#include <algorithm>
#include <map>

#include "kinds/core/pod_state.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/conditions.h"
#include "object/time.h"

namespace stead::kinds {
namespace {

struct Summary {
  std::string status;
  int64_t restarts = 0;
  WallTime last_restart{};  // zero: never
  int64_t ready = 0;
  int64_t total = 0;
};

WallTime finished_at(const Value& status) {
  return object::parse_time(status.at({"lastState", "terminated", "finishedAt"}).as_string()).value_or(WallTime{});
}

// "Signal:9" or "ExitCode:1": what there is to say of an end without a reason.
std::string end_text(const Value& terminated) {
  int64_t signal = terminated.at("signal").as_int();
  return signal != 0 ? "Signal:" + std::to_string(signal)
                     : "ExitCode:" + std::to_string(terminated.at("exitCode").as_int());
}

bool is_initialized(const Value& pod) { return is_condition_true(pod.at("status"), "Initialized"); }

// What an init container that is not done says of the pod; empty where it is done.
std::string init_text(const Value& status, size_t index, size_t count, bool sidecar) {
  const Value* terminated = status.find({"state", "terminated"});
  if (terminated != nullptr && terminated->at("exitCode").as_int() == 0) return {};
  if (sidecar && status.at("started").as_bool()) return {};
  if (terminated != nullptr) {
    return "Init:" + text_or(terminated->at("reason"), end_text(*terminated));
  }
  std::string_view waiting = status.at({"state", "waiting", "reason"}).as_string();
  if (!waiting.empty() && waiting != "PodInitializing") return "Init:" + std::string(waiting);
  return "Init:" + std::to_string(index) + "/" + std::to_string(count);
}

void note_restarts(const Value& status, int64_t& restarts, WallTime& last) {
  restarts += status.at("restartCount").as_int();
  last = std::max(last, finished_at(status));
}

// Returns whether the pod is still initializing. `summary` gets the restarts of init containers.
bool summarize_init(const Value& pod, Summary& summary, int64_t& sidecar_restarts, WallTime& sidecar_last) {
  std::map<std::string_view, const Value*> containers;
  for (const Value& container : pod.at({"spec", "initContainers"}).items()) {
    containers.emplace(container.at("name").as_string(), &container);
    if (is_sidecar(container)) ++summary.total;
  }
  auto statuses = pod.at({"status", "initContainerStatuses"}).items();
  for (size_t i = 0; i < statuses.size(); ++i) {
    const Value& status = statuses[i];
    note_restarts(status, summary.restarts, summary.last_restart);
    auto container = containers.find(status.at("name").as_string());
    bool sidecar = container != containers.end() && is_sidecar(*container->second);
    if (sidecar) note_restarts(status, sidecar_restarts, sidecar_last);
    std::string text = init_text(status, i, containers.size(), sidecar);
    if (text.empty()) {
      if (sidecar && status.at("ready").as_bool()) ++summary.ready;
      continue;
    }
    summary.status = text;
    return true;
  }
  return false;
}

void summarize_running(const Value& pod, Summary& summary) {
  bool running = false;
  auto statuses = pod.at({"status", "containerStatuses"}).items();
  // The first container has the last word.
  for (size_t i = statuses.size(); i-- > 0;) {
    const Value& status = statuses[i];
    note_restarts(status, summary.restarts, summary.last_restart);
    const Value* terminated = status.find({"state", "terminated"});
    std::string_view waiting = status.at({"state", "waiting", "reason"}).as_string();
    if (!waiting.empty()) {
      summary.status = waiting;
    } else if (terminated != nullptr) {
      summary.status = text_or(terminated->at("reason"), end_text(*terminated));
    } else if (status.at("ready").as_bool() && status.find({"state", "running"}) != nullptr) {
      running = true;
      ++summary.ready;
    }
  }
  if (summary.status == "Completed" && running) summary.status = is_pod_ready(pod) ? "Running" : "NotReady";
}

Summary summarize(const Value& pod) {
  Summary summary;
  std::string_view reason = pod.at({"status", "reason"}).as_string();
  summary.status = reason.empty() ? pod_phase(pod) : reason;
  const Value* scheduled = find_condition(pod.at("status"), "PodScheduled");
  if (scheduled != nullptr && scheduled->at("reason").as_string() == "SchedulingGated") {
    summary.status = "SchedulingGated";
  }
  summary.total = static_cast<int64_t>(pod.at({"spec", "containers"}).size());
  int64_t sidecar_restarts = 0;
  WallTime sidecar_last{};
  bool initializing = summarize_init(pod, summary, sidecar_restarts, sidecar_last);
  if (!initializing || is_initialized(pod)) {
    // Once the containers run, what init containers went through is no news; sidecars still count.
    summary.restarts = sidecar_restarts;
    summary.last_restart = sidecar_last;
    summarize_running(pod, summary);
  }
  if (pod.find({"metadata", "deletionTimestamp"}) != nullptr) {
    if (reason == "NodeLost") {
      summary.status = "Unknown";
    } else if (!is_pod_terminated(pod)) {
      summary.status = "Terminating";
    }
  }
  return summary;
}

std::string readiness_gates_text(const Value& pod) {
  const Value& gates = pod.at({"spec", "readinessGates"});
  if (gates.empty()) return std::string(kNone);
  size_t passed = 0;
  for (const Value& gate : gates.items())
    passed += is_condition_true(pod.at("status"), gate.at("conditionType").as_string());
  return std::to_string(passed) + "/" + std::to_string(gates.size());
}

}  // namespace

std::vector<Column> pod_columns() {
  return {name_column(),
          {"Ready", "string", "", "Containers that are ready, of all that the pod keeps running."},
          {"Status", "string", "", "What the pod's containers are doing, in one word."},
          {"Restarts", "string", "", "How often containers were started anew, and when last."},
          age_column(),
          {"IP", "string", "", "The pod's address.", 1},
          {"Node", "string", "", "The node it runs on.", 1},
          {"Nominated Node", "string", "", "The node on which it may take others' place.", 1},
          {"Readiness Gates", "string", "", "Extra conditions for readiness that hold, of all.", 1}};
}

std::vector<Value> pod_cells(const Value& pod, WallTime now) {
  Summary summary = summarize(pod);
  std::string restarts = std::to_string(summary.restarts);
  if (summary.restarts != 0 && summary.last_restart != WallTime{}) {
    restarts += " (" + object::human_duration(now - summary.last_restart) + " ago)";
  }
  auto addresses = pod.at({"status", "podIPs"}).items();
  const Value& address = addresses.empty() ? pod.at({"status", "podIP"}) : addresses[0].at("ip");
  return {name_of(pod),
          std::to_string(summary.ready) + "/" + std::to_string(summary.total),
          summary.status,
          restarts,
          age(pod, now),
          text_or(address, kNone),
          text_or(pod.at({"spec", "nodeName"}), kNone),
          text_or(pod.at({"status", "nominatedNodeName"}), kNone),
          readiness_gates_text(pod)};
}

}  // namespace stead::kinds
