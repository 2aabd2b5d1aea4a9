#include "app/cluster_facts.h"

#include <fmt/format.h>

#include "app/bootstrap.h"
#include "base/ipv4_range.h"
#include "client/https_messages.h"
#include "object/codec.h"

namespace stead::app {
namespace {

using object::Value;

constexpr char kFile[] = "cluster.json";

Result<ClusterFacts> read_facts(const Value& data) {
  ClusterFacts facts;
  std::pair<const char*, std::string*> fields[] = {{"podCIDR", &facts.pod_cidr},
                                                   {"serviceCIDR", &facts.service_cidr},
                                                   {"clusterDomain", &facts.cluster_domain},
                                                   {"podNetwork", &facts.pod_network},
                                                   {"apiServiceAddress", &facts.api_address},
                                                   {"dnsServiceAddress", &facts.dns_address}};
  for (auto& [name, field] : fields) {
    *field = data.at(name).as_string();
    if (field->empty()) {
      return make_error(Reason::kInvalid,
                        fmt::format("ConfigMap kube-system/{}: data.{} is missing", kClusterFacts, name));
    }
  }
  return facts;
}

// Links of our own lie in the cluster's ranges by right.
bool is_ours(const network::LinkAddress& link) {
  return link.link.starts_with("stead") || link.link.starts_with("veth") || link.link.starts_with("cni");
}

}  // namespace

Result<ClusterFacts> ask_cluster_facts(const http::ClientOptions& server) {
  std::string path = fmt::format("/api/v1/namespaces/kube-system/configmaps/{}", kClusterFacts);
  STEAD_TRY(answer, http::fetch(server, "GET", path, {{"Accept", "application/json"}}, ""));
  if (answer.status != 200) return client::error_of(answer.status, answer.headers, answer.body);
  STEAD_TRY(document, object::parse_json(answer.body));
  return read_facts(document.at("data"));
}

std::optional<ClusterFacts> load_cluster_facts(const cli::DataDir& data_dir) {
  Result<std::string> text = cli::read_file(data_dir.path(kFile));
  if (!text.ok()) return std::nullopt;
  Result<Value> document = object::parse_json(*text);
  if (!document.ok()) return std::nullopt;
  Result<ClusterFacts> facts = read_facts(*document);
  return facts.ok() ? std::optional(*facts) : std::nullopt;
}

Result<void> save_cluster_facts(const cli::DataDir& data_dir, const ClusterFacts& facts) {
  Value document = Value::object({{"podCIDR", facts.pod_cidr},
                                  {"serviceCIDR", facts.service_cidr},
                                  {"clusterDomain", facts.cluster_domain},
                                  {"podNetwork", facts.pod_network},
                                  {"apiServiceAddress", facts.api_address},
                                  {"dnsServiceAddress", facts.dns_address}});
  return cli::write_file(data_dir.path(kFile), object::to_json(document) + "\n", 0600);
}

Result<void> check_ranges(const std::string& pod_cidr, const std::string& service_cidr, const std::string& node_ip,
                          const std::vector<network::LinkAddress>& links) {
  std::optional<Ipv4Range> pods = Ipv4Range::parse(pod_cidr);
  std::optional<Ipv4Range> services = Ipv4Range::parse(service_cidr);
  if (!pods) return make_error(Reason::kInvalid, fmt::format("--pod-cidr: \"{}\" is no IPv4 range", pod_cidr));
  if (!services) {
    return make_error(Reason::kInvalid, fmt::format("--service-cidr: \"{}\" is no IPv4 range", service_cidr));
  }
  if (pods->overlaps(*services)) {
    return make_error(Reason::kInvalid, fmt::format("--pod-cidr {} and --service-cidr {} overlap: choose ranges apart",
                                                    pod_cidr, service_cidr));
  }
  std::pair<const char*, const Ipv4Range*> ranges[] = {{"pod", &*pods}, {"service", &*services}};
  for (const auto& [what, range] : ranges) {
    if (range->holds(node_ip)) {
      return make_error(Reason::kInvalid, fmt::format("the node's address {} lies in the cluster's {} range {}: name "
                                                      "another with --node-ip",
                                                      node_ip, what, range->text()));
    }
    for (const network::LinkAddress& link : links) {
      std::optional<Ipv4Range> subnet = Ipv4Range::parse(fmt::format("{}/{}", link.address, link.prefix));
      if (is_ours(link) || link.prefix == 32 || !subnet || !subnet->overlaps(*range)) continue;
      return make_error(Reason::kInvalid,
                        fmt::format("this machine's link {} has {}/{}, which overlaps the cluster's {} range {}",
                                    link.link, link.address, link.prefix, what, range->text()));
    }
  }
  return {};
}

}  // namespace stead::app
