#include "kinds/semantics/pod_requests.h"

#include <algorithm>

namespace stead::kinds {

void Resources::add(const Resources& other) {
  cpu_milli += other.cpu_milli;
  memory += other.memory;
  ephemeral_storage += other.ephemeral_storage;
  for (const auto& [name, amount] : other.extended) extended[name] += amount;
}

void Resources::subtract(const Resources& other) {
  cpu_milli -= other.cpu_milli;
  memory -= other.memory;
  ephemeral_storage -= other.ephemeral_storage;
  for (const auto& [name, amount] : other.extended) extended[name] -= amount;
}

void Resources::raise_to(const Resources& other) {
  cpu_milli = std::max(cpu_milli, other.cpu_milli);
  memory = std::max(memory, other.memory);
  ephemeral_storage = std::max(ephemeral_storage, other.ephemeral_storage);
  for (const auto& [name, amount] : other.extended) {
    int64_t& mine = extended[name];
    mine = std::max(mine, amount);
  }
}

Resources read_resources(const Value& list) {
  Resources resources;
  for (const object::Member& member : list.members()) {
    // Quantities may be written as plain numbers.
    auto quantity = member.value.is_int()
                        ? Result<object::Quantity>(object::Quantity::from_units(member.value.as_int()))
                        : object::Quantity::parse(member.value.as_string());
    if (!quantity.ok()) continue;
    if (member.name() == "cpu") {
      resources.cpu_milli = quantity->milli_value();
    } else if (member.name() == "memory") {
      resources.memory = quantity->value();
    } else if (member.name() == "ephemeral-storage") {
      resources.ephemeral_storage = quantity->value();
    } else if (member.name() != "pods") {
      resources.extended[std::string(member.name())] = quantity->value();
    }
  }
  return resources;
}

namespace {

// What one container counts for; `list` is where it stands in the spec.
using ContainerAmount = Resources (*)(const Value& pod, std::string_view list, const Value& container,
                                      std::string_view kind);

Resources wanted(const Value&, std::string_view, const Value& container, std::string_view kind) {
  return read_resources(container.at({"resources", kind}));
}

bool is_infeasible(const Value& status) {
  for (const Value& condition : status.at("conditions").items()) {
    if (condition.at("type").as_string() == "PodResizePending") {
      return condition.at("reason").as_string() == "Infeasible";
    }
  }
  return false;
}

Resources held(const Value& pod, std::string_view list, const Value& container, std::string_view kind) {
  const Value& status = pod.at("status");
  std::string_view statuses = list == "containers" ? "containerStatuses" : "initContainerStatuses";
  for (const Value& one : status.at(statuses).items()) {
    if (one.at("name") != container.at("name")) continue;
    if (one.find("resources") == nullptr && one.find("allocatedResources") == nullptr) break;
    Resources has = read_resources(one.at({"resources", kind}));
    if (kind == "requests") has.raise_to(read_resources(one.at("allocatedResources")));
    if (!is_infeasible(status)) has.raise_to(wanted(pod, list, container, kind));
    return has;
  }
  return wanted(pod, list, container, kind);
}

// `kind` is "requests" or "limits".
Resources pod_resources(const Value& pod, const Value& pod_spec, std::string_view kind, ContainerAmount amount) {
  Resources total;
  for (const Value& container : pod_spec.at("containers").items()) {
    total.add(amount(pod, "containers", container, kind));
  }
  Resources sidecars;
  Resources init_peak;
  for (const Value& container : pod_spec.at("initContainers").items()) {
    if (container.at("restartPolicy").as_string() == "Always") {
      sidecars.add(amount(pod, "initContainers", container, kind));
      init_peak.raise_to(sidecars);
    } else {
      Resources own = wanted(pod, "initContainers", container, kind);
      own.add(sidecars);
      init_peak.raise_to(own);
    }
  }
  total.add(sidecars);
  total.raise_to(init_peak);
  const Value& pod_level = pod_spec.at({"resources", kind});
  if (!pod_level.empty()) {
    Resources declared = read_resources(pod_level);
    if (pod_level.find("cpu") != nullptr) total.cpu_milli = declared.cpu_milli;
    if (pod_level.find("memory") != nullptr) total.memory = declared.memory;
    for (const auto& [name, amount_declared] : declared.extended) total.extended[name] = amount_declared;
  }
  return total;
}

Resources requests_of(const Value& pod, const Value& pod_spec, ContainerAmount amount) {
  Resources total = pod_resources(pod, pod_spec, "requests", amount);
  total.add(read_resources(pod_spec.at("overhead")));
  return total;
}

Resources limits_of(const Value& pod, const Value& pod_spec, ContainerAmount amount) {
  Resources total = pod_resources(pod, pod_spec, "limits", amount);
  // What runs the pod counts where the pod is limited at all.
  Resources overhead = read_resources(pod_spec.at("overhead"));
  if (total.cpu_milli > 0) total.cpu_milli += overhead.cpu_milli;
  if (total.memory > 0) total.memory += overhead.memory;
  if (total.ephemeral_storage > 0) total.ephemeral_storage += overhead.ephemeral_storage;
  return total;
}

}  // namespace

std::map<std::string, object::Quantity, std::less<>> container_requests(const Value& pod_spec) {
  using Amounts = std::map<std::string, object::Quantity, std::less<>>;
  auto read = [](const Value& container) {
    Amounts amounts;
    for (const object::Member& member : container.at({"resources", "requests"}).members()) {
      auto parsed = object::Quantity::parse(member.value.as_string());
      if (parsed.ok()) amounts.emplace(member.name(), *parsed);
    }
    return amounts;
  };
  auto add = [](Amounts& total, const Amounts& more) {
    for (const auto& [name, amount] : more) {
      auto [place, is_new] = total.emplace(name, amount);
      if (!is_new) place->second = place->second + amount;
    }
  };
  auto raise = [](Amounts& total, const Amounts& other) {
    for (const auto& [name, amount] : other) {
      auto [place, is_new] = total.emplace(name, amount);
      if (!is_new) place->second = std::max(place->second, amount);
    }
  };
  Amounts total;
  for (const Value& container : pod_spec.at("containers").items()) add(total, read(container));
  Amounts sidecars;
  Amounts init_peak;
  for (const Value& container : pod_spec.at("initContainers").items()) {
    Amounts own = read(container);
    if (container.at("restartPolicy").as_string() == "Always") {
      add(sidecars, own);
      raise(init_peak, sidecars);
    } else {
      add(own, sidecars);
      raise(init_peak, own);
    }
  }
  add(total, sidecars);
  raise(total, init_peak);
  return total;
}

Resources pod_requests(const Value& pod_spec) { return requests_of(Value(), pod_spec, wanted); }
Resources pod_limits(const Value& pod_spec) { return limits_of(Value(), pod_spec, wanted); }
Resources pod_requests_held(const Value& pod) { return requests_of(pod, pod.at("spec"), held); }
Resources pod_limits_held(const Value& pod) { return limits_of(pod, pod.at("spec"), held); }

}  // namespace stead::kinds
