#pragma once

// What every machine of a cluster must know of it; the server tells it (bootstrap.h), agents keep it in cluster.json.

#include <optional>
#include <string>

#include "base/result.h"
#include "cli/data_dir.h"
#include "http/client.h"
#include "network/pod_network/link_facts.h"

namespace stead::app {

struct ClusterFacts {
  std::string pod_cidr;
  std::string service_cidr;
  std::string cluster_domain;
  std::string pod_network;  // as --pod-network
  std::string api_address;
  std::string dns_address;
};

// Asks the server. Blocks; what went wrong is the error.
Result<ClusterFacts> ask_cluster_facts(const http::ClientOptions& server);

std::optional<ClusterFacts> load_cluster_facts(const cli::DataDir& data_dir);
Result<void> save_cluster_facts(const cli::DataDir& data_dir, const ClusterFacts& facts);

// kInvalid names two ranges that overlap, or the machine's link that lies in one: packets would go astray. Pure.
Result<void> check_ranges(const std::string& pod_cidr, const std::string& service_cidr, const std::string& node_ip,
                          const std::vector<network::LinkAddress>& links);

}  // namespace stead::app
