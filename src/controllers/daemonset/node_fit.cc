#include "controllers/daemonset/node_fit.h"

#include <algorithm>
#include <string>

#include "controllers/pod_from_template.h"
#include "kinds/semantics/node_selector.h"
#include "kinds/semantics/tolerations.h"

namespace stead::controllers::daemonset {
namespace {

constexpr std::string_view kNodeName = "metadata.name";

// Daemons stay where ordinary pods would be driven away.
Value tolerations_of(const Value& spec) {
  struct Tolerated {
    std::string_view key;
    std::string_view effect;
  };
  constexpr Tolerated kAlways[] = {
      {"node.kubernetes.io/not-ready", "NoExecute"},           {"node.kubernetes.io/unreachable", "NoExecute"},
      {"node.kubernetes.io/disk-pressure", "NoSchedule"},      {"node.kubernetes.io/memory-pressure", "NoSchedule"},
      {"node.kubernetes.io/pid-pressure", "NoSchedule"},       {"node.kubernetes.io/unschedulable", "NoSchedule"},
      {"node.kubernetes.io/network-unavailable", "NoSchedule"}};
  Value all = spec.find("tolerations") == nullptr ? Value::array() : spec.at("tolerations");
  for (const Tolerated& one : kAlways) {
    if (one.key == "node.kubernetes.io/network-unavailable" && !spec.at("hostNetwork").as_bool()) continue;
    auto items = all.items();
    bool given = std::any_of(items.begin(), items.end(), [&](const Value& item) {
      return item.at("key").as_string() == one.key && item.at("effect").as_string() == one.effect &&
             item.at("operator").as_string() == "Exists";
    });
    if (given) continue;
    all.append(Value::object({{"key", one.key}, {"operator", "Exists"}, {"effect", one.effect}}));
  }
  return all;
}

bool affinity_fits(const Value& spec, const Object& node) {
  std::string_view wanted = spec.at("nodeName").as_string();
  if (!wanted.empty() && wanted != node.name()) return false;
  if (!kinds::has_labels(spec.at("nodeSelector"), node)) return false;
  const Value* required = spec.find({"affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"});
  return required == nullptr || kinds::matches_node_selector(*required, node);
}

}  // namespace

NodeFit fit_node(const Object& set, const Object& node) {
  const Value& spec = set.spec().at({"template", "spec"});
  if (!affinity_fits(spec, node)) return {};
  Value tolerations = tolerations_of(spec);
  NodeFit fit{true, true};
  auto check = [&](const Value& taint) {
    std::string_view effect = taint.at("effect").as_string();
    if (effect == "PreferNoSchedule" || kinds::tolerates(tolerations, taint)) return;
    fit.should_run = false;
    if (effect == "NoExecute") fit.should_continue = false;
  };
  for (const Value& taint : node.spec().at("taints").items()) check(taint);
  return fit;
}

Value make_pod(const Object& set, std::string_view node, std::string_view hash) {
  Value pod = pod_from_template(set, set.spec().at("template"));
  pod.set({"metadata", "labels", "controller-revision-hash"}, hash);
  pod.set({"metadata", "labels", "pod-template-generation"},
          set.metadata().at({"annotations", "deprecated.daemonset.template.generation"}).as_string());
  Value& spec = pod["spec"];
  spec.set("tolerations", tolerations_of(spec));
  // This takes the place of the template's own terms: they have been checked against the node already.
  Value field = Value::object({{"key", kNodeName}, {"operator", "In"}, {"values", Value::array({node})}});
  Value term = Value::object({{"matchFields", Value::array({std::move(field)})}});
  spec.set({"affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"},
           Value::object({{"nodeSelectorTerms", Value::array({std::move(term)})}}));
  return pod;
}

std::string_view node_of(const Object& pod) {
  std::string_view assigned = pod.spec().at("nodeName").as_string();
  if (!assigned.empty()) return assigned;
  const Value& required = pod.spec().at({"affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"});
  for (const Value& term : required.at("nodeSelectorTerms").items()) {
    for (const Value& field : term.at("matchFields").items()) {
      auto values = field.at("values").items();
      bool names_one = field.at("key").as_string() == kNodeName && field.at("operator").as_string() == "In";
      if (names_one && values.size() == 1) return values[0].as_string();
    }
  }
  return {};
}

}  // namespace stead::controllers::daemonset
