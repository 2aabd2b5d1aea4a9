#pragma once

// The downward API: fields of the pod and resources of its containers as text, for variables and files. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "node/pods/pod_shape.h"

namespace stead::node {

struct DownwardFacts {
  std::string node_name;
  std::vector<std::string> pod_ips;
  std::vector<std::string> host_ips;
  int64_t allocatable_milli_cpu = 0;
  int64_t allocatable_memory = 0;
  int64_t allocatable_storage = 0;
};

// "metadata.name", "metadata.labels['x']", "status.podIPs" …; kBadRequest for paths that do not exist.
Result<std::string> downward_field(const PodShape& shape, const DownwardFacts& facts, std::string_view path);

// resourceFieldRef {containerName, resource, divisor}; `container` is used where containerName is empty. Limits that
// are not set are the node's allocatable amounts.
Result<std::string> downward_resource(const PodShape& shape, const DownwardFacts& facts, const object::Value& reference,
                                      std::string_view container);

}  // namespace stead::node
