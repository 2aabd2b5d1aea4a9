#include "kinds/core/pod_state.h"

#include <algorithm>
#include <array>

#include "kinds/meta/checks.h"
#include "kinds/meta/conditions.h"

namespace stead::kinds {
namespace {

constexpr size_t kHostnameBytesMax = 63;

bool counts_for_qos(std::string_view resource) { return resource == "cpu" || resource == "memory"; }

}  // namespace

std::string_view pod_phase(const Value& pod) { return pod.at({"status", "phase"}).as_string(); }

bool is_pod_ready(const Value& pod) { return is_condition_true(pod.at("status"), "Ready"); }

bool is_pod_terminated(const Value& pod) {
  std::string_view phase = pod_phase(pod);
  return phase == "Succeeded" || phase == "Failed";
}

std::string pod_hostname(const Value& pod) {
  std::string_view own = pod.at({"spec", "hostname"}).as_string();
  if (own.empty()) own = pod.at({"metadata", "name"}).as_string();
  std::string_view cut = own.substr(0, kHostnameBytesMax);
  while (cut.size() < own.size() && !cut.empty() && (cut.back() == '-' || cut.back() == '.')) cut.remove_suffix(1);
  return std::string(cut);
}

const Value* find_container(const Value& pod, std::string_view name) {
  for (std::string_view list : {"containers", "initContainers", "ephemeralContainers"}) {
    for (const Value& container : pod.at({"spec", list}).items()) {
      if (container.at("name").as_string() == name) return &container;
    }
  }
  return nullptr;
}

bool is_sidecar(const Value& init_container) { return init_container.at("restartPolicy").as_string() == "Always"; }

std::string_view pod_qos_class(const Value& pod) {
  bool any = false;
  bool guaranteed = true;
  auto weigh = [&](const Value& resources) {
    for (std::string_view name : {"cpu", "memory"}) {
      object::Quantity request = quantity_of(resources.at({"requests", name}));
      object::Quantity limit = quantity_of(resources.at({"limits", name}));
      if (!request.is_zero() || !limit.is_zero()) any = true;
      // A limit without a request stands for both.
      bool same = request == limit || resources.find({"requests", name}) == nullptr;
      if (limit.is_zero() || !same) guaranteed = false;
    }
  };
  const Value& own = pod.at({"spec", "resources"});
  bool pod_level = false;
  for (std::string_view which : {"requests", "limits"}) {
    for (const object::Member& amount : own.at(which).members()) pod_level |= counts_for_qos(amount.name());
  }
  if (pod_level) {
    weigh(own);
  } else {
    for (std::string_view list : {"containers", "initContainers"}) {
      for (const Value& container : pod.at({"spec", list}).items()) weigh(container.at("resources"));
    }
  }
  if (!any) return "BestEffort";
  return guaranteed ? "Guaranteed" : "Burstable";
}

std::chrono::seconds effective_grace_period(const Value& pod) {
  constexpr int64_t kDefault = 30;
  const Value* asked = pod.find({"metadata", "deletionGracePeriodSeconds"});
  int64_t seconds =
      asked != nullptr ? asked->as_int() : pod.at({"spec", "terminationGracePeriodSeconds"}).as_int(kDefault);
  // Negative periods were accepted once and mean the shortest there is.
  return std::chrono::seconds(seconds < 0 ? 1 : seconds);
}

std::optional<int> resolve_container_port(const Value& container, const Value& port, std::string_view protocol) {
  if (port.is_int()) return static_cast<int>(port.as_int());
  for (const Value& candidate : container.at("ports").items()) {
    if (candidate.at("name").as_string() != port.as_string()) continue;
    std::string_view has = candidate.at("protocol").as_string();
    if (protocol.empty() || (has.empty() ? "TCP" : has) == protocol) {
      return static_cast<int>(candidate.at("containerPort").as_int());
    }
  }
  return std::nullopt;
}

std::optional<int> resolve_port(const Value& pod, const Value& port, std::string_view protocol) {
  if (port.is_int()) return static_cast<int>(port.as_int());
  for (const Value& container : pod.at({"spec", "containers"}).items()) {
    if (auto found = resolve_container_port(container, port, protocol)) return found;
  }
  // Sidecars serve too.
  for (const Value& container : pod.at({"spec", "initContainers"}).items()) {
    if (!is_sidecar(container)) continue;
    if (auto found = resolve_container_port(container, port, protocol)) return found;
  }
  return std::nullopt;
}

}  // namespace stead::kinds
