#include "controllers/namespaces/namespace_policy.h"

#include <algorithm>

#include "controllers/owner_references.h"
#include "controllers/requests.h"

namespace stead::controllers::namespaces {
namespace {

constexpr std::string_view kFinalizer = "kubernetes";
constexpr std::string_view kRootCa = "kube-root-ca.crt";
// Upstream's words, which tell people not to edit the object.
constexpr std::string_view kDescriptionKey = "kubernetes.io/description";
constexpr std::string_view kDescription =
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters.";

// A set's pods end in order; the garbage collector sees to that once the set is gone.
bool belongs_to_set(const Content& content) {
  const Value* owner = controller_of(*content.object);
  return content.resource.resource == "pods" && owner != nullptr && owner->at("kind").as_string() == "StatefulSet";
}

client::Plan finalize(const Object& ns) {
  Value document = ns.document();
  std::vector<Value>& finalizers = document["spec"]["finalizers"].mutable_items();
  std::erase_if(finalizers, [](const Value& one) { return one.as_string() == kFinalizer; });
  client::Plan plan;
  // Events expire by themselves and have no informer: they go in one call.
  client::Request events;
  events.verb = client::Verb::kDeleteCollection;
  events.resource = "events";
  events.ns = ns.name();
  plan.steps.push_back({.request = std::move(events), .tolerated = {Reason::kNotFound}});
  plan.steps.push_back({.request = update_request(kNamespaces, std::move(document), "finalize")});
  return plan;
}

std::vector<client::Plan> empty_namespace(const Observed& observed) {
  std::vector<client::Plan> plans;
  for (const Content& content : observed.contents) {
    if (content.object->deleting() || belongs_to_set(content)) continue;
    plans.push_back({.steps = {{.request = delete_request(content.resource, *content.object),
                                .tolerated = {Reason::kNotFound, Reason::kConflict}}}});
  }
  if (!observed.contents.empty()) return plans;
  std::span<const Value> finalizers = observed.ns->spec().at("finalizers").items();
  bool ours =
      std::any_of(finalizers.begin(), finalizers.end(), [](const Value& one) { return one.as_string() == kFinalizer; });
  if (ours) plans.push_back(finalize(*observed.ns));
  return plans;
}

Value named(std::string_view kind, std::string_view ns, std::string_view name) {
  return Value::object(
      {{"apiVersion", "v1"}, {"kind", kind}, {"metadata", Value::object({{"namespace", ns}, {"name", name}})}});
}

}  // namespace

std::vector<client::Plan> decide(const Observed& observed, const std::string& root_ca_pem) {
  const Object& ns = *observed.ns;
  if (ns.deleting()) return empty_namespace(observed);
  std::vector<client::Plan> plans;
  auto add = [&](client::Request request) {
    plans.push_back({.steps = {{.request = std::move(request), .tolerated = {Reason::kAlreadyExists}}}});
  };
  if (!observed.service_account) add(create_request(kServiceAccounts, named("ServiceAccount", ns.name(), "default")));
  if (!observed.root_ca) {
    Value document = named("ConfigMap", ns.name(), kRootCa);
    document["metadata"]["annotations"].set(kDescriptionKey, kDescription);
    document["data"].set("ca.crt", root_ca_pem);
    add(create_request(kConfigMaps, std::move(document)));
  } else if (observed.root_ca->document().at({"data", "ca.crt"}).as_string() != root_ca_pem ||
             observed.root_ca->document().at("data").size() != 1) {
    Value document = observed.root_ca->document();
    document.set("data", Value::object({{"ca.crt", root_ca_pem}}));
    add(update_request(kConfigMaps, std::move(document)));
  }
  return plans;
}

std::vector<client::Request> standard_namespaces() {
  std::vector<client::Request> requests;
  for (std::string_view name : {"default", "kube-system", "kube-public", "kube-node-lease"}) {
    requests.push_back(create_request(
        kNamespaces,
        Value::object({{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", Value::object({{"name", name}})}})));
  }
  return requests;
}

}  // namespace stead::controllers::namespaces
