#include "apiserver/service_endpoint.h"

#include <fmt/format.h>

#include <vector>

namespace stead::apiserver {

using object::ObjectPtr;
using object::Value;

Result<ServiceEndpoint> find_service_endpoint(const cache::Cache& cache, const std::string& ns, const std::string& name,
                                              uint16_t port) {
  static size_t turn = 0;  // of the API's loop
  ObjectPtr service = cache.get("/services", ns + "/" + name);
  if (!service) return make_error(Reason::kUnavailable, fmt::format("service \"{}\" not found", name));
  if (service->spec().at("type").as_string() == "ExternalName") {
    return ServiceEndpoint{std::string(service->spec().at("externalName").as_string()), port};
  }
  const Value* wanted = nullptr;
  for (const Value& one : service->spec().at("ports").items()) {
    if (one.at("port").as_int() == port) wanted = &one;
  }
  if (wanted == nullptr) {
    return make_error(Reason::kUnavailable, fmt::format("no service port {} found for service \"{}\"", port, name));
  }
  std::vector<ServiceEndpoint> found;
  ObjectPtr endpoints = cache.get("/endpoints", ns + "/" + name);
  if (endpoints) {
    for (const Value& subset : endpoints->document().at("subsets").items()) {
      for (const Value& one : subset.at("ports").items()) {
        if (one.at("name").as_string() != wanted->at("name").as_string()) continue;
        for (const Value& address : subset.at("addresses").items()) {
          found.push_back({std::string(address.at("ip").as_string()), static_cast<uint16_t>(one.at("port").as_int())});
        }
      }
    }
  }
  if (found.empty()) {
    return make_error(Reason::kUnavailable, fmt::format("no endpoints available for service \"{}\"", name));
  }
  return found[turn++ % found.size()];
}

}  // namespace stead::apiserver
