#include "node/pods/pod_resize.h"

#include <fmt/format.h>

#include "object/codec.h"
#include "object/quantity.h"

namespace stead::node {
namespace {

using object::Quantity;
using object::Value;

constexpr std::string_view kNames[] = {"cpu", "memory"};

std::optional<Quantity> amount(const Value& resources, std::string_view list, std::string_view name) {
  const Value* found = resources.find({list, name});
  if (found == nullptr) return std::nullopt;
  if (found->is_int()) return Quantity::from_units(found->as_int());
  auto parsed = Quantity::parse(found->as_string());
  return parsed.ok() ? std::optional(*parsed) : std::nullopt;
}

bool same_amount(const Value& a, const Value& b, std::string_view name) {
  return amount(a, "requests", name) == amount(b, "requests", name) &&
         amount(a, "limits", name) == amount(b, "limits", name);
}

const Value* status_of(const PodShape& shape, const ContainerShape& container) {
  std::string_view list = container.kind == ContainerKind::kMain ? "containerStatuses" : "initContainerStatuses";
  for (const Value& one : shape.pod->status().at(list).items()) {
    if (one.at("name").as_string() == container.name) return &one;
  }
  return nullptr;
}

void set_or_erase(Value& resources, std::string_view list, std::string_view name, const Value& from) {
  if (const Value* found = from.find(name)) {
    resources.set({list, name}, *found);
  } else if (resources.find({list, name}) != nullptr) {
    resources.erase({list, name});
  }
}

// The pod's spec with other resources of its containers.
template <class Pick>
kinds::Resources requests_with(const PodShape& shape, Pick pick) {
  Value spec = shape.spec();
  for (const ContainerShape& container : shape.containers) {
    if (!container.allocated || !is_resizable(container.kind)) continue;
    Value* list = spec.find(container.kind == ContainerKind::kMain ? "containers" : "initContainers");
    for (Value& one : list->mutable_items()) {
      if (one.at("name").as_string() == container.name) one.set("resources", pick(container));
    }
  }
  return kinds::pod_requests(spec);
}

bool asks_for_more(const PodShape& shape) {
  kinds::Resources wanted = wanted_requests(shape);
  kinds::Resources has = allocated_requests(shape);
  return wanted.cpu_milli > has.cpu_milli || wanted.memory > has.memory;
}

}  // namespace

bool is_resizable(ContainerKind kind) { return kind == ContainerKind::kMain || kind == ContainerKind::kSidecar; }

bool same_resources(const Value& a, const Value& b) { return same_amount(a, b, "cpu") && same_amount(a, b, "memory"); }

void keep_allocation(PodShape& shape, const PodShape& before) {
  for (ContainerShape& container : shape.containers) {
    if (!is_resizable(container.kind)) continue;
    const ContainerShape* old = before.find(container.name);
    if (old != nullptr && !same_resources(old->resources(), container.resources())) {
      container.allocated = old->resources();
    }
  }
}

void recall_allocation(PodShape& shape) {
  for (ContainerShape& container : shape.containers) {
    if (!is_resizable(container.kind)) continue;
    const Value* status = status_of(shape, container);
    if (status == nullptr || (!status->at("resources").is_object() && !status->at("allocatedResources").is_object())) {
      continue;
    }
    Value recalled = container.resources();
    for (std::string_view name : kNames) {
      set_or_erase(recalled, "requests", name, status->at("allocatedResources"));
      set_or_erase(recalled, "limits", name, status->at({"resources", "limits"}));
    }
    if (!same_resources(recalled, container.resources())) container.allocated = std::move(recalled);
  }
}

bool wants_resize(const PodShape& shape) {
  for (const ContainerShape& container : shape.containers) {
    if (container.allocated) return true;
  }
  return false;
}

void allocate_wanted(PodShape& shape) {
  for (ContainerShape& container : shape.containers) container.allocated.reset();
}

kinds::Resources allocated_requests(const PodShape& shape) {
  return requests_with(shape, [](const ContainerShape& container) { return container.resources(); });
}

kinds::Resources wanted_requests(const PodShape& shape) { return kinds::pod_requests(shape.spec()); }

ResizeVerdict judge_resize(const kinds::Resources& wanted, const kinds::Resources& allocated,
                           const kinds::Resources& others, const kinds::Resources& allocatable) {
  struct Axis {
    const char* name;
    int64_t wanted, allocated, others, allocatable;
  };
  const Axis axes[] = {{"memory", wanted.memory, allocated.memory, others.memory, allocatable.memory},
                       {"cpu", wanted.cpu_milli, allocated.cpu_milli, others.cpu_milli, allocatable.cpu_milli}};
  for (const Axis& axis : axes) {
    if (axis.wanted > axis.allocatable) {
      return {"Infeasible", fmt::format("Node didn't have enough capacity: {}, requested: {}, capacity: {}", axis.name,
                                        axis.wanted, axis.allocatable)};
    }
  }
  for (const Axis& axis : axes) {
    // Who asks for less is let, however full the node is.
    if (axis.wanted > axis.allocated && axis.wanted + axis.others > axis.allocatable) {
      return {"Deferred", fmt::format("Node didn't have enough resource: {}, requested: {}, used: {}, capacity: {}",
                                      axis.name, axis.wanted, axis.others, axis.allocatable)};
    }
  }
  return {};
}

bool resizes_before(const PodShape& a, const PodShape& b) {
  bool a_grows = asks_for_more(a);
  bool b_grows = asks_for_more(b);
  if (a_grows != b_grows) return b_grows;
  int64_t a_priority = a.spec().at("priority").as_int();
  int64_t b_priority = b.spec().at("priority").as_int();
  if (a_priority != b_priority) return a_priority > b_priority;
  return qos_class(a.spec()) == "Guaranteed" && qos_class(b.spec()) != "Guaranteed";
}

bool resize_restarts(const ContainerShape& container, const Value& actual) {
  for (const Value& policy : container.document->at("resizePolicy").items()) {
    if (policy.at("restartPolicy").as_string() != "RestartContainer") continue;
    if (!same_amount(actual, container.resources(), policy.at("resourceName").as_string())) return true;
  }
  return false;
}

std::string resize_message(std::string_view what, const PodShape& shape, int64_t generation, const std::string& error) {
  Value inits = Value::array();
  Value mains = Value::array();
  for (const ContainerShape& container : shape.containers) {
    if (container.kind == ContainerKind::kEphemeral) continue;
    Value resources = Value::object();
    for (std::string_view list : {"limits", "requests"}) {
      const Value& amounts = container.document->at({"resources", list});
      if (!amounts.empty()) resources.set(list, amounts);
    }
    Value one = Value::object({{"name", container.name}, {"resources", std::move(resources)}});
    (container.kind == ContainerKind::kMain ? mains : inits).append(std::move(one));
  }
  Value summary = Value::object();
  if (!inits.empty()) summary.set("initContainers", std::move(inits));
  if (!mains.empty()) summary.set("containers", std::move(mains));
  summary.set("generation", generation);
  if (!error.empty()) summary.set("error", error);
  return fmt::format("{}: {}", what, object::to_json(summary));
}

}  // namespace stead::node
