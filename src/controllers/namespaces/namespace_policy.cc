#include "controllers/namespaces/namespace_policy.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>

#include "controllers/namespaces/namespace_conditions.h"
#include "controllers/owner_references.h"
#include "controllers/requests.h"
#include "controllers/statefulset/identity.h"

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

bool is_of(const Content& content, std::string_view group, std::string_view resource) {
  return content.resource.group == group && content.resource.resource == resource;
}

// The pods of a StatefulSet end in its order, the highest first, unless it is a Parallel one.
class SetOrder {
 public:
  explicit SetOrder(const std::vector<Content>& contents) {
    for (const Content& content : contents) {
      if (is_of(content, "apps", "statefulsets")) {
        bool parallel = content.object->spec().at("podManagementPolicy").as_string() == "Parallel";
        sets_.emplace(content.object->uid(), parallel);
      } else if (std::string uid = set_of(content); !uid.empty()) {
        int64_t ordinal = statefulset::ordinal_of(*content.object);
        auto [highest, first] = highest_.emplace(uid, ordinal);
        if (!first) highest->second = std::max(highest->second, ordinal);
      }
    }
  }

  // Once its set is gone the garbage collector sees to a pod.
  bool may_end(const Content& content) const {
    std::string uid = set_of(content);
    if (uid.empty()) return true;
    auto set = sets_.find(uid);
    if (set == sets_.end()) return false;
    return set->second || highest_.at(uid) == statefulset::ordinal_of(*content.object);
  }

 private:
  // The UID of the set whose pod this is; empty: of none.
  static std::string set_of(const Content& content) {
    const Value* owner = controller_of(*content.object);
    bool of_set = is_of(content, "", "pods") && owner != nullptr && owner->at("kind").as_string() == "StatefulSet";
    return of_set ? std::string(owner->at("uid").as_string()) : std::string();
  }

  std::map<std::string, bool, std::less<>> sets_;  // by UID: whether it is a Parallel one
  std::map<std::string, int64_t> highest_;         // ordinal, by the set's UID
};

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

// Pods go first (KEP-5080): what else there is may hold them in check, as a NetworkPolicy does.
std::vector<Content> next_to_go(const Observed& observed) {
  std::vector<Content> pods;
  std::copy_if(observed.contents.begin(), observed.contents.end(), std::back_inserter(pods),
               [](const Content& content) { return is_of(content, "", "pods"); });
  return pods.empty() ? observed.contents : pods;
}

std::optional<client::Plan> report(const Object& ns, const std::vector<Content>& remaining, WallTime now) {
  Value status = with_deletion_conditions(ns.status(), remaining, now);
  if (status == ns.status()) return std::nullopt;
  Value document = ns.document();
  document.set("status", std::move(status));
  client::Plan plan;
  plan.steps.push_back({.request = update_request(kNamespaces, std::move(document), "status"),
                        .tolerated = {Reason::kNotFound, Reason::kConflict}});
  return plan;
}

std::vector<client::Plan> empty_namespace(const Observed& observed, WallTime now) {
  std::vector<client::Plan> plans;
  std::vector<Content> going = next_to_go(observed);
  SetOrder order(observed.contents);
  bool lingers = false;  // something was told to go before
  for (const Content& content : going) {
    lingers = lingers || content.object->deleting();
    if (content.object->deleting() || !order.may_end(content)) continue;
    plans.push_back({.steps = {{.request = delete_request(content.resource, *content.object),
                                .tolerated = {Reason::kNotFound, Reason::kConflict}}}});
  }
  if (lingers) {
    if (auto plan = report(*observed.ns, going, now)) plans.push_back(std::move(*plan));
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

std::vector<client::Plan> decide(const Observed& observed, const std::string& root_ca_pem, WallTime now) {
  const Object& ns = *observed.ns;
  if (ns.deleting()) return empty_namespace(observed, now);
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
