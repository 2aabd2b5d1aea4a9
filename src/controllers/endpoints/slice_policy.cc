#include "controllers/endpoints/slice_policy.h"

#include <algorithm>
#include <map>

#include "controllers/owner_references.h"
#include "controllers/requests.h"

namespace stead::controllers::endpoints {
namespace {

constexpr size_t kEndpointsMax = 100;

Value make_endpoint(const Backend& backend, const SlicesObserved& observed) {
  const Object& pod = *backend.pod;
  Value endpoint = Value::object({{"addresses", Value::array({backend.address})},
                                  {"conditions", Value::object({{"ready", backend.ready},
                                                                {"serving", backend.serving},
                                                                {"terminating", backend.terminating}})}});
  if (!backend.hostname.empty()) endpoint.set("hostname", backend.hostname);
  endpoint.set("targetRef",
               Value::object({{"kind", "Pod"}, {"namespace", pod.ns()}, {"name", pod.name()}, {"uid", pod.uid()}}));
  std::string_view node = pod.spec().at("nodeName").as_string();
  if (!node.empty()) {
    endpoint.set("nodeName", node);
    std::string zone = observed.zone(node);
    if (!zone.empty()) endpoint.set("zone", zone);
  }
  return endpoint;
}

Value slice_labels(const Object& service) {
  Value labels = service.metadata().at("labels");
  labels.erase("service.kubernetes.io/headless");
  labels.set(kServiceNameLabel, service.name());
  labels.set(kManagedByLabel, kSliceController);
  if (is_headless(service)) labels.set("service.kubernetes.io/headless", "");
  return labels;
}

Value make_slice(const Object& service, std::string_view family, const Value& ports, std::vector<Value> endpoints) {
  Value owner = controller_reference(service);
  Value metadata = Value::object({{"generateName", std::string(service.name()) + "-"},
                                  {"namespace", service.ns()},
                                  {"labels", slice_labels(service)},
                                  {"ownerReferences", Value::array({std::move(owner)})}});
  return Value::object({{"apiVersion", "discovery.k8s.io/v1"},
                        {"kind", "EndpointSlice"},
                        {"metadata", std::move(metadata)},
                        {"addressType", family},
                        {"endpoints", Value::array(std::move(endpoints))},
                        {"ports", ports}});
}

class SliceDecider {
 public:
  explicit SliceDecider(const SlicesObserved& observed) : observed_(observed), service_(*observed.service) {}

  client::Plan decide() {
    for (const ObjectPtr& slice : observed_.slices) {
      if (!slice->deleting()) unused_.push_back(slice);
    }
    for (const std::string& family : families_of(service_)) {
      std::vector<Group> groups = group_backends(service_, observed_.pods, family);
      if (groups.empty()) groups.emplace_back();
      for (const Group& group : groups) place(family, group);
    }
    for (const ObjectPtr& slice : unused_) {
      plan_.steps.push_back({.request = delete_request(kEndpointSlices, *slice), .tolerated = {Reason::kNotFound}});
    }
    return std::move(plan_);
  }

 private:
  struct Draft {
    ObjectPtr slice;
    std::vector<Value> endpoints;
  };

  std::vector<Draft> take_slices(std::string_view family, const Value& ports) {
    std::vector<Draft> drafts;
    std::erase_if(unused_, [&](const ObjectPtr& slice) {
      const Value& document = slice->document();
      bool fits = document.at("addressType").as_string() == family && same_ports(document.at("ports"), ports);
      if (fits) drafts.push_back({slice, {}});
      return fits;
    });
    return drafts;
  }

  // Absent names and empty ones are the same to the API.
  static bool same_ports(const Value& a, const Value& b) {
    return a.size() == b.size() &&
           std::equal(a.items().begin(), a.items().end(), b.items().begin(), [](const Value& x, const Value& y) {
             return x.at("name").as_string() == y.at("name").as_string() && x.at("port") == y.at("port") &&
                    x.at("protocol") == y.at("protocol") && x.at("appProtocol") == y.at("appProtocol");
           });
  }

  void place(const std::string& family, const Group& group) {
    std::vector<Draft> drafts = take_slices(family, group.ports);
    std::map<std::string_view, Draft*> home;  // by the pod's UID
    for (Draft& draft : drafts) {
      for (const Value& endpoint : draft.slice->document().at("endpoints").items()) {
        home[endpoint.at({"targetRef", "uid"}).as_string()] = &draft;
      }
    }
    std::vector<Value> homeless;
    for (const Backend& backend : group.backends) {
      auto found = home.find(backend.pod->uid());
      bool fits = found != home.end() && found->second->endpoints.size() < kEndpointsMax;
      (fits ? found->second->endpoints : homeless).push_back(make_endpoint(backend, observed_));
    }
    for (Draft& draft : drafts) {
      while (!homeless.empty() && draft.endpoints.size() < kEndpointsMax) {
        draft.endpoints.push_back(std::move(homeless.back()));
        homeless.pop_back();
      }
    }
    write(family, group, std::move(drafts), std::move(homeless));
  }

  void write(const std::string& family, const Group& group, std::vector<Draft> drafts, std::vector<Value> homeless) {
    size_t kept = 0;
    for (Draft& draft : drafts) {
      // Empty slices go, but for the last one of a Service that has nothing.
      if (draft.endpoints.empty() && (!group.backends.empty() || kept > 0)) {
        unused_.push_back(draft.slice);
        continue;
      }
      ++kept;
      update(draft);
    }
    if (kept == 0 && homeless.empty()) create(family, group.ports, {});
    while (!homeless.empty()) {
      size_t count = std::min(kEndpointsMax, homeless.size());
      auto first = homeless.end() - static_cast<ptrdiff_t>(count);
      create(family, group.ports, std::vector<Value>(first, homeless.end()));
      homeless.erase(first, homeless.end());
    }
  }

  void update(Draft& draft) {
    const Value& old = draft.slice->document();
    Value labels = slice_labels(service_);
    Value endpoints = Value::array(std::move(draft.endpoints));
    if (old.at("endpoints").size() == endpoints.size() && (endpoints.empty() || old.at("endpoints") == endpoints) &&
        old.at({"metadata", "labels"}) == labels) {
      return;
    }
    Value document = old;
    document.set("endpoints", std::move(endpoints));
    document["metadata"].set("labels", std::move(labels));
    plan_.steps.push_back({.request = update_request(kEndpointSlices, std::move(document))});
  }

  void create(const std::string& family, const Value& ports, std::vector<Value> endpoints) {
    plan_.steps.push_back(
        {.request = create_request(kEndpointSlices, make_slice(service_, family, ports, std::move(endpoints)))});
  }

  const SlicesObserved& observed_;
  const Object& service_;
  std::vector<ObjectPtr> unused_;
  client::Plan plan_;
};

}  // namespace

client::Plan decide_slices(const SlicesObserved& observed) { return SliceDecider(observed).decide(); }

}  // namespace stead::controllers::endpoints
