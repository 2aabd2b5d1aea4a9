#include "controllers/endpoints/mirror_policy.h"

#include <algorithm>

#include "controllers/endpoints/slice_policy.h"
#include "controllers/owner_references.h"
#include "controllers/requests.h"

namespace stead::controllers::endpoints {
namespace {

using object::ObjectPtr;

constexpr std::string_view kSkipMirrorLabel = "endpointslice.kubernetes.io/skip-mirror";
constexpr std::string_view kLeaderAnnotation = "control-plane.alpha.kubernetes.io/leader";
constexpr std::string_view kAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";
constexpr std::string_view kTriggerAnnotation = "endpoints.kubernetes.io/last-change-trigger-time";
constexpr size_t kEndpointsMax = 1000;  // of one subset; what is more is left out, as upstream does

bool is_mirrored(const MirrorObserved& observed) {
  if (!observed.endpoints || !observed.service) return false;
  if (observed.endpoints->deleting() || observed.service->deleting()) return false;
  const Value& metadata = observed.endpoints->metadata();
  if (metadata.at({"labels", kSkipMirrorLabel}).as_string() == "true") return false;
  if (metadata.at({"annotations", kLeaderAnnotation}).is_string()) return false;
  return observed.service->spec().at("selector").empty();
}

std::string_view family_of(std::string_view address) {
  return address.find(':') == std::string_view::npos ? "IPv4" : "IPv6";
}

Value mirrored_endpoint(const Value& address, bool ready) {
  Value endpoint = Value::object(
      {{"addresses", Value::array({address.at("ip")})}, {"conditions", Value::object({{"ready", ready}})}});
  for (std::string_view field : {"hostname", "nodeName", "targetRef"}) {
    if (const Value* found = address.find(field)) endpoint.set(field, *found);
  }
  return endpoint;
}

struct Wanted {
  std::string_view family;
  Value ports;
  Value endpoints = Value::array();
};

std::vector<Wanted> wanted_slices(const object::Object& endpoints) {
  std::vector<Wanted> wanted;
  for (const Value& subset : endpoints.document().at("subsets").items()) {
    for (std::string_view family : {"IPv4", "IPv6"}) {
      Wanted slice{family, subset.at("ports")};
      if (slice.ports.is_null()) slice.ports = Value::array();
      for (auto [field, ready] : {std::pair{"addresses", true}, std::pair{"notReadyAddresses", false}}) {
        for (const Value& address : subset.at(field).items()) {
          if (family_of(address.at("ip").as_string()) != family || slice.endpoints.size() == kEndpointsMax) continue;
          slice.endpoints.append(mirrored_endpoint(address, ready));
        }
      }
      if (!slice.endpoints.empty()) wanted.push_back(std::move(slice));
    }
  }
  return wanted;
}

Value mirrored_metadata(const object::Object& endpoints) {
  Value labels = endpoints.metadata().at("labels");
  if (labels.is_null()) labels = Value::object();
  labels.set(kServiceNameLabel, endpoints.name());
  labels.set(kManagedByLabel, kMirrorController);
  Value annotations = endpoints.metadata().at("annotations");
  annotations.erase(kAppliedAnnotation);
  annotations.erase(kTriggerAnnotation);
  Value metadata = Value::object({{"labels", std::move(labels)}});
  if (!annotations.empty()) metadata.set("annotations", std::move(annotations));
  return metadata;
}

client::Plan::Step create(const object::Object& endpoints, const Wanted& wanted) {
  Value metadata = mirrored_metadata(endpoints);
  metadata.set("generateName", std::string(endpoints.name()) + "-");
  metadata.set("namespace", endpoints.ns());
  metadata.set("ownerReferences", Value::array({controller_reference(endpoints)}));
  return {.request = create_request(kEndpointSlices, Value::object({{"apiVersion", "discovery.k8s.io/v1"},
                                                                    {"kind", "EndpointSlice"},
                                                                    {"metadata", std::move(metadata)},
                                                                    {"addressType", wanted.family},
                                                                    {"endpoints", wanted.endpoints},
                                                                    {"ports", wanted.ports}}))};
}

bool fits(const object::Object& slice, const Wanted& wanted) {
  const Value& document = slice.document();
  const Value& ports = document.at("ports");
  return document.at("addressType").as_string() == wanted.family && ports.size() == wanted.ports.size() &&
         std::equal(ports.items().begin(), ports.items().end(), wanted.ports.items().begin(),
                    [](const Value& a, const Value& b) {
                      return a.at("name").as_string() == b.at("name").as_string() && a.at("port") == b.at("port") &&
                             a.at("protocol") == b.at("protocol") && a.at("appProtocol") == b.at("appProtocol");
                    });
}

}  // namespace

client::Plan decide_mirror(const MirrorObserved& observed) {
  client::Plan plan;
  std::vector<ObjectPtr> unused;
  for (const ObjectPtr& slice : observed.slices) {
    if (!slice->deleting()) unused.push_back(slice);
  }
  std::vector<Wanted> wanted = is_mirrored(observed) ? wanted_slices(*observed.endpoints) : std::vector<Wanted>();
  for (const Wanted& each : wanted) {
    auto found = std::find_if(unused.begin(), unused.end(), [&](const ObjectPtr& slice) { return fits(*slice, each); });
    if (found == unused.end()) {
      plan.steps.push_back(create(*observed.endpoints, each));
      continue;
    }
    Value document = (*found)->document();
    document.set("endpoints", each.endpoints);
    Value metadata = mirrored_metadata(*observed.endpoints);
    for (std::string_view field : {"labels", "annotations"}) {
      if (const Value* kept = metadata.find(field)) {
        document["metadata"].set(field, *kept);
      } else {
        document["metadata"].erase(field);
      }
    }
    if (!(document == (*found)->document())) {
      plan.steps.push_back({.request = update_request(kEndpointSlices, std::move(document))});
    }
    unused.erase(found);
  }
  for (const ObjectPtr& slice : unused) {
    plan.steps.push_back({.request = delete_request(kEndpointSlices, *slice), .tolerated = {Reason::kNotFound}});
  }
  return plan;
}

}  // namespace stead::controllers::endpoints
