#pragma once

// The pods behind a Service, with the ports it reaches on each. Pure.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "object/object.h"

namespace stead::controllers::endpoints {

using object::Object;
using object::ObjectPtr;
using object::Value;

struct Backend {
  ObjectPtr pod;
  std::string address;
  bool serving = false;  // passes its readiness probes
  bool terminating = false;
  bool ready = false;    // may get traffic: serving and not terminating, or the Service does not care
  std::string hostname;  // set where DNS gives the pod a name of its own under the Service
};

// Ports by name as the slices write them: [{name, port, protocol, appProtocol}], sorted; equal lists share a slice.
struct Group {
  Value ports = Value::array();
  std::vector<Backend> backends;  // by pod name
};

// "IPv4", "IPv6": the families the Service has.
std::vector<std::string> families_of(const Object& service);

// The backends of one family among `pods` (those that the selector matches), grouped by their ports.
std::vector<Group> group_backends(const Object& service, const std::vector<ObjectPtr>& pods, std::string_view family);

// Whether we look after the Service's endpoints: it has a selector and is no ExternalName.
bool has_managed_endpoints(const Object& service);
bool is_headless(const Object& service);

// Whether a change from `before` to `after` can matter to any Service.
bool differs_for_services(const Object& before, const Object& after);

}  // namespace stead::controllers::endpoints
