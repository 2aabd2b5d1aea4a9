#include "cli/why/explain.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace stead::cli::why {
namespace {

struct Kind {
  std::string_view plural;
  std::vector<std::string_view> others;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kKinds = {
      {"pods", {"pod", "po"}},
      {"persistentvolumeclaims", {"persistentvolumeclaim", "pvc", "claim", "claims"}},
      {"persistentvolumes", {"persistentvolume", "pv", "volume", "volumes"}},
      {"statefulsets", {"statefulset", "sts", "set", "sets"}},
      {"deployments", {"deployment", "deploy"}},
      {"replicasets", {"replicaset", "rs"}},
      {"daemonsets", {"daemonset", "ds"}},
      {"jobs", {"job"}},
      {"services", {"service", "svc"}},
      {"ingresses", {"ingress", "ing"}},
      {"nodes", {"node", "no"}},
  };
  return kKinds;
}

}  // namespace

std::optional<std::string> plural_of(std::string_view kind) {
  std::string lower(kind.substr(0, kind.find('.')));
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const Kind& known : kinds()) {
    bool named =
        known.plural == lower || std::find(known.others.begin(), known.others.end(), lower) != known.others.end();
    if (named) return std::string(known.plural);
  }
  return std::nullopt;
}

std::string known_kinds() {
  std::string text;
  for (const Kind& known : kinds()) text.append(text.empty() ? "" : ", ").append(known.others.front());
  return text;
}

Cause explain(const ClusterView& view, std::string_view plural, const object::Object& object) {
  const Value& spec = object.spec();
  if (plural == "pods") return explain_pod(view, object);
  if (plural == "persistentvolumeclaims") return explain_claim(view, object);
  if (plural == "persistentvolumes") return explain_volume(view, object);
  if (plural == "statefulsets") return explain_stateful_set(view, object);
  if (plural == "deployments") return explain_deployment(view, object);
  if (plural == "replicasets") return explain_pod_owner(view, "replicaset", object, spec.at("replicas").as_int(1));
  if (plural == "daemonsets") {
    return explain_pod_owner(view, "daemonset", object, object.status().at("desiredNumberScheduled").as_int());
  }
  if (plural == "jobs") return explain_pod_owner(view, "job", object, spec.at("parallelism").as_int(1));
  if (plural == "services") return explain_service(view, object);
  if (plural == "ingresses") return explain_ingress(view, object);
  return explain_node(view, object);
}

std::optional<Cause> explain_absent_pod(const ClusterView& view, std::string_view ns, std::string_view name) {
  size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || dash + 1 == name.size()) return std::nullopt;
  int64_t ordinal = 0;
  auto [end, problem] = std::from_chars(name.data() + dash + 1, name.data() + name.size(), ordinal);
  if (problem != std::errc() || end != name.data() + name.size()) return std::nullopt;
  ObjectPtr set = view.find("statefulsets", ns, name.substr(0, dash));
  if (!set) return std::nullopt;
  const Value& spec = set->spec();
  int64_t first = spec.at({"ordinals", "start"}).as_int();
  if (ordinal < first || ordinal >= first + spec.at("replicas").as_int(1)) return std::nullopt;
  return Cause{
      "pod " + std::string(ns) + "/" + std::string(name) + " does not exist yet: its set makes it when its turn comes",
      "",
      {explain_stateful_set(view, *set)}};
}

}  // namespace stead::cli::why
