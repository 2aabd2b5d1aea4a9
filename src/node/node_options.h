#pragma once

// What one node part is told at its start. Facts about the machine come from outside (machine.h reads the real
// ones), so that simulated nodes can have any size.

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace stead::node {

struct MachineFacts {
  int64_t cpus = 4;
  int64_t memory_bytes = int64_t{8} << 30;
  int64_t storage_bytes = int64_t{64} << 30;
  std::string architecture = "amd64";  // as Go names it
  std::string kernel_version;
  std::string os_image;
  std::string machine_id;
  std::string system_uuid;
  std::string boot_id;
};

struct NodeOptions {
  std::string node_name;
  std::string node_ip;
  std::string pod_cidr;
  std::string data_dir;
  std::string cgroup_parent;  // all pods' control groups are below it; empty: the runtime's choice
  std::string cluster_dns;    // nameserver of ClusterFirst pods
  std::string cluster_domain = "cluster.local";
  std::string host_resolv_conf;  // the text of the host's resolv.conf; read_machine_resolv_conf() has it
  std::vector<std::pair<std::string, std::string>> labels;  // on top of the well-known ones
  MachineFacts machine;
  int pods_max = 110;
  size_t parallel_pulls = 4;
  uint16_t kubelet_port = 10250;
  Duration lease_period = std::chrono::seconds(10);
  Duration status_period = std::chrono::minutes(5);
  Duration storage_check_period = std::chrono::seconds(10);  // of pods that limit their local storage
};

}  // namespace stead::node
