#include "apiserver/priority_admission.h"

#include <fmt/format.h>

#include "kinds/scheduling/scheduling_rules.h"

namespace stead::apiserver {
namespace {

using object::ObjectPtr;
using object::Value;

constexpr std::string_view kClasses = "scheduling.k8s.io/priorityclasses";
constexpr std::string_view kPreempts = "PreemptLowerPriority";

struct Priority {
  std::string class_name;
  int64_t value = 0;
  std::string policy{kPreempts};
};

Priority priority_of(const object::Object& priority_class) {
  const Value& document = priority_class.document();
  std::string_view policy = document.at("preemptionPolicy").as_string();
  return {std::string(priority_class.name()), document.at("value").as_int(),
          std::string(policy.empty() ? kPreempts : policy)};
}

// The default class; of several, which only a race can leave behind, the one that promises least.
ObjectPtr default_class(const cache::Cache& cache) {
  ObjectPtr chosen;
  cache.snapshot(kClasses).objects.visit_from("", [&](const std::string&, const ObjectPtr& candidate) {
    const Value& document = candidate->document();
    if (!document.at("globalDefault").as_bool()) return true;
    if (!chosen || document.at("value").as_int() < chosen->document().at("value").as_int()) chosen = candidate;
    return true;
  });
  return chosen;
}

Error forbidden(std::string_view resource, std::string_view name, const std::string& why) {
  Error error = make_error(Reason::kForbidden, fmt::format("{} \"{}\" is forbidden: {}", resource, name, why));
  error.kind = resource;
  error.name = name;
  return error;
}

Result<Priority> find_priority(const cache::Cache& cache, const Value& pod) {
  std::string_view named = pod.at({"spec", "priorityClassName"}).as_string();
  if (named.empty()) {
    ObjectPtr chosen = default_class(cache);
    return chosen ? priority_of(*chosen) : Priority{};
  }
  if (ObjectPtr found = cache.get(kClasses, std::string(named))) return priority_of(*found);
  // The two that every cluster has are made at its first start; pods need not wait for that.
  for (const auto& system : kinds::system_priority_classes()) {
    if (system.name == named) return Priority{std::string(named), system.value};
  }
  return forbidden("pods", pod.at({"metadata", "name"}).as_string(),
                   fmt::format("no PriorityClass with name {} was found", named));
}

}  // namespace

Result<void> complete_priority(const cache::Cache& cache, Value& pod) {
  STEAD_TRY(priority, find_priority(cache, pod));
  Value& spec = pod["spec"];
  std::string_view name = pod.at({"metadata", "name"}).as_string();
  const Value* given = spec.find("priority");
  if (given != nullptr && given->as_int() != priority.value) {
    return forbidden("pods", name,
                     fmt::format("the integer value of priority ({}) must not be provided in pod spec; priority "
                                 "admission controller computed {} from the given PriorityClass name",
                                 given->as_int(), priority.value));
  }
  const Value* policy = spec.find("preemptionPolicy");
  if (policy != nullptr && policy->as_string() != priority.policy) {
    return forbidden("pods", name,
                     fmt::format("the string value of PreemptionPolicy ({}) must not be provided in pod spec; priority "
                                 "admission controller computed {} from the given PriorityClass name",
                                 policy->as_string(), priority.policy));
  }
  if (!priority.class_name.empty()) spec.set("priorityClassName", priority.class_name);
  spec.set("priority", priority.value);
  spec.set("preemptionPolicy", priority.policy);
  return {};
}

Result<void> check_priority_class(const cache::Cache& cache, const Value& priority_class) {
  if (!priority_class.at("globalDefault").as_bool()) return {};
  std::string_view name = priority_class.at({"metadata", "name"}).as_string();
  ObjectPtr other = default_class(cache);
  if (!other || other->name() == name) return {};
  return forbidden(
      "priorityclasses.scheduling.k8s.io", name,
      fmt::format("PriorityClass {} is already marked as default. Only one default can exist", other->name()));
}

}  // namespace stead::apiserver
