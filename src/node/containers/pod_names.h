#pragma once

// How a pod is called and how it finds others: hostname, /etc/hosts, resolv.conf. Pure.

#include <string>
#include <vector>

#include "base/result.h"
#include "node/pods/pod_shape.h"
#include "node/runtime/runtime.h"

namespace stead::node {

struct PodHostname {
  std::string hostname;  // what the kernel of the pod is told
  std::string domain;    // "<subdomain>.<ns>.svc.<cluster domain>"; empty without subdomain
  std::string label;     // the first label, as in /etc/hosts
};

// kInvalid: setHostnameAsFQDN makes a name of more than 64 bytes, which Linux does not take.
Result<PodHostname> pod_hostname(const PodShape& shape, const std::string& cluster_domain);

// `host_file` is the host's own, used for pods on the host's network.
std::string hosts_file(const PodShape& shape, const PodHostname& hostname, const std::vector<std::string>& ips,
                       const std::string& host_file);

struct DnsSettings {
  std::string cluster_dns;
  std::string cluster_domain;
  std::string host_resolv_conf;
};
// Fills dns_servers, dns_searches and dns_options by dnsPolicy and dnsConfig, within resolv.conf's limits
// (3 servers, 32 searches of 2048 characters together).
void set_dns(SandboxConfig& sandbox, const PodShape& shape, const DnsSettings& settings);

}  // namespace stead::node
