#pragma once

// Limits of local ephemeral storage: sizeLimit of emptyDir volumes, limits of containers and of the pod (docs:
// "Local ephemeral storage"). Pure.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "node/pods/pod_shape.h"

namespace stead::node {

struct StorageLimit {
  std::string name;  // of the volume or container
  std::string text;  // as it was written
  uint64_t bytes = 0;
};

struct StorageLimits {
  std::vector<StorageLimit> volumes;
  std::vector<StorageLimit> containers;
  StorageLimit pod;                       // bytes 0: none
  std::vector<std::string> disk_volumes;  // all emptyDir volumes on the disk
  bool any() const { return !volumes.empty() || !containers.empty() || pod.bytes > 0; }
  // Whether what containers write beside their volumes has to be measured.
  bool counts_containers() const { return !containers.empty() || pod.bytes > 0; }
};

StorageLimits read_storage_limits(const PodShape& shape);

// Bytes on the disk, by name.
struct StorageUse {
  std::map<std::string, uint64_t> volumes;
  std::map<std::string, uint64_t> logs;
  std::map<std::string, uint64_t> layers;  // what containers wrote over their images
};

// What of it is too much, as the kubelet says it; empty: nothing.
std::string storage_excess(const StorageLimits& limits, const StorageUse& use);

}  // namespace stead::node
