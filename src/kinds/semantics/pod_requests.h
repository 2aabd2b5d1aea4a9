#pragma once

// What a pod asks of its node (Kubernetes' resourcehelper.PodRequests; KEP-753 for sidecars, KEP-2837 for pod-level
// resources). Pure.

#include <cstdint>
#include <map>
#include <string>

#include "object/quantity.h"
#include "object/value.h"

namespace stead::kinds {

using object::Value;

// CPU in millicores, everything else in units or bytes. Malformed quantities count as zero.
struct Resources {
  int64_t cpu_milli = 0;
  int64_t memory = 0;
  int64_t ephemeral_storage = 0;
  std::map<std::string, int64_t, std::less<>> extended;

  void add(const Resources& other);
  void subtract(const Resources& other);
  void raise_to(const Resources& other);  // the larger of both, by resource
};

// A ResourceList document; "pods" is left out.
Resources read_resources(const Value& list);
// Containers' sum or, if larger, what init containers need, with sidecars running beside; plus overhead.
Resources pod_requests(const Value& pod_spec);
// What containers alone ask for, by resource, in the spelling of their quantities: without pod-level resources and
// overhead. Only resources that some container names.
std::map<std::string, object::Quantity, std::less<>> container_requests(const Value& pod_spec);
// pod_requests() of limits; a container without a limit adds nothing.
Resources pod_limits(const Value& pod_spec);
// What a pod takes of its node and of quotas while its containers are being resized (KEP-1287): of each container the
// largest of what it asks for, what was allocated and what it has. A resize that its node cannot serve does not count.
Resources pod_requests_held(const Value& pod);
Resources pod_limits_held(const Value& pod);

}  // namespace stead::kinds
