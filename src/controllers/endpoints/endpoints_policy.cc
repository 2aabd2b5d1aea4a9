#include "controllers/endpoints/endpoints_policy.h"

#include <algorithm>

#include "controllers/requests.h"

namespace stead::controllers::endpoints {
namespace {

// More would make the object too large for clients that watch it; EndpointSlices have them all.
constexpr size_t kAddressesMax = 1000;

Value make_address(const Backend& backend) {
  const Object& pod = *backend.pod;
  Value address = Value::object({{"ip", backend.address}});
  if (!backend.hostname.empty()) address.set("hostname", backend.hostname);
  if (!pod.spec().at("nodeName").as_string().empty()) address.set("nodeName", pod.spec().at("nodeName"));
  address.set("targetRef",
              Value::object({{"kind", "Pod"}, {"namespace", pod.ns()}, {"name", pod.name()}, {"uid", pod.uid()}}));
  return address;
}

Value make_ports(const Value& group_ports) {
  Value ports = Value::array();
  for (Value port : group_ports.items()) {
    if (port.at("name").as_string().empty()) port.erase("name");
    ports.append(std::move(port));
  }
  return ports;
}

Value make_subsets(const Object& service, const std::vector<ObjectPtr>& pods, bool& truncated) {
  bool publish_all = service.spec().at("publishNotReadyAddresses").as_bool();
  Value subsets = Value::array();
  size_t count = 0;
  for (const Group& group : group_backends(service, pods, families_of(service).front())) {
    Value ready = Value::array();
    Value not_ready = Value::array();
    for (const Backend& backend : group.backends) {
      if (backend.terminating && !publish_all) continue;
      if (++count > kAddressesMax) {
        truncated = true;
        break;
      }
      (backend.ready ? ready : not_ready).append(make_address(backend));
    }
    if (ready.empty() && not_ready.empty()) continue;
    Value subset = Value::object();
    if (!ready.empty()) subset.set("addresses", std::move(ready));
    if (!not_ready.empty()) subset.set("notReadyAddresses", std::move(not_ready));
    if (!group.ports.empty()) subset.set("ports", make_ports(group.ports));
    subsets.append(std::move(subset));
  }
  return subsets;
}

}  // namespace

client::Plan decide_endpoints(const ObjectPtr& service, const std::vector<ObjectPtr>& pods, const ObjectPtr& existing) {
  client::Plan plan;
  if (!service) {
    if (existing) {
      plan.steps.push_back({.request = delete_request(kEndpoints, *existing), .tolerated = {Reason::kNotFound}});
    }
    return plan;
  }
  bool truncated = false;
  Value subsets = make_subsets(*service, pods, truncated);
  Value labels = service->metadata().at("labels");
  labels.set("endpoints.kubernetes.io/managed-by", "endpoint-controller");
  if (is_headless(*service)) labels.set("service.kubernetes.io/headless", "");
  constexpr std::string_view kOverCapacity = "endpoints.kubernetes.io/over-capacity";
  if (existing) {
    const Value& old = existing->document();
    bool was_truncated = !old.at({"metadata", "annotations", kOverCapacity}).is_null();
    bool same_subsets = subsets.empty() ? old.at("subsets").empty() : old.at("subsets") == subsets;
    if (same_subsets && old.at({"metadata", "labels"}) == labels && truncated == was_truncated) return plan;
  }
  Value document =
      existing
          ? existing->document()
          : Value::object({{"apiVersion", "v1"},
                           {"kind", "Endpoints"},
                           {"metadata", Value::object({{"name", service->name()}, {"namespace", service->ns()}})}});
  document["metadata"].set("labels", std::move(labels));
  if (truncated) {
    document["metadata"]["annotations"].set(kOverCapacity, "truncated");
  } else if (existing) {
    if (Value* annotations = document["metadata"].find("annotations")) annotations->erase(kOverCapacity);
  }
  if (subsets.empty()) {
    document.erase("subsets");
  } else {
    document.set("subsets", std::move(subsets));
  }
  plan.steps.push_back({.request = existing ? update_request(kEndpoints, std::move(document))
                                            : create_request(kEndpoints, std::move(document))});
  return plan;
}

}  // namespace stead::controllers::endpoints
