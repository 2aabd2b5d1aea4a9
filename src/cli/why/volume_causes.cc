// Why no node may have a pod because of the volumes that it has.

#include <fmt/format.h>

#include <algorithm>

#include "cli/why/explain.h"

namespace stead::cli::why {
namespace {

using object::Object;

constexpr std::string_view kHostNameLabel = "kubernetes.io/hostname";

// The nodes that a volume names as the only ones that reach it; empty where it names none.
std::vector<std::string> homes_of(const Object& volume) {
  std::vector<std::string> names;
  for (const Value& term : volume.spec().at({"nodeAffinity", "required", "nodeSelectorTerms"}).items()) {
    for (const Value& expression : term.at("matchExpressions").items()) {
      bool by_name =
          expression.at("key").as_string() == kHostNameLabel && expression.at("operator").as_string() == "In";
      if (!by_name) continue;
      for (const Value& name : expression.at("values").items()) names.emplace_back(name.as_string());
    }
  }
  return names;
}

}  // namespace

std::optional<Cause> lost_home_cause(const ClusterView& view, const Object& claim) {
  ObjectPtr volume = view.find("persistentvolumes", "", claim.spec().at("volumeName").as_string());
  if (!volume) return std::nullopt;
  std::vector<Cause> lost;
  for (const std::string& name : homes_of(*volume)) {
    ObjectPtr node = view.find("nodes", "", name);
    if (!node) {
      lost.push_back(
          {fmt::format("the node {} is gone", name),
           fmt::format("start stead on {0} again; or begin without the data: kubectl delete pvc {1}{2}, and the pod",
                       name, claim.name(), namespace_option(claim)),
           {}});
      continue;
    }
    Cause state = explain_node(view, *node);
    if (state.causes.empty()) return std::nullopt;
    lost.push_back(std::move(state));
  }
  if (lost.empty()) return std::nullopt;
  return Cause{fmt::format("the data of the claim {} is on the volume {}, which only {} reaches", claim.name(),
                           volume->name(), lost.size() == 1 ? "one node" : "some nodes"),
               {},
               std::move(lost)};
}

}  // namespace stead::cli::why
