#include "node/containers/pod_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace stead::node {
namespace {

using object::Value;

constexpr size_t kServersMax = 3;
constexpr size_t kSearchesMax = 32;
constexpr size_t kSearchCharactersMax = 2048;
constexpr size_t kHostnameMax = 64;  // Linux: __NEW_UTS_LEN
constexpr size_t kLabelMax = 63;

struct ResolvConf {
  std::vector<std::string> servers, searches, options;
};

ResolvConf parse_resolv_conf(const std::string& text) {
  ResolvConf conf;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find_first_of("#;")));
    std::string key;
    words >> key;
    std::vector<std::string> values;
    for (std::string word; words >> word;) values.push_back(std::move(word));
    if (key == "nameserver" && !values.empty()) conf.servers.push_back(values.front());
    if (key == "search" || key == "domain") conf.searches = std::move(values);
    if (key == "options") conf.options = std::move(values);
  }
  return conf;
}

void append_unique(std::vector<std::string>& list, std::string_view item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.emplace_back(item);
}

void apply_dns_config(SandboxConfig& sandbox, const Value& config) {
  for (const Value& server : config.at("nameservers").items()) append_unique(sandbox.dns_servers, server.as_string());
  for (const Value& search : config.at("searches").items()) append_unique(sandbox.dns_searches, search.as_string());
  for (const Value& option : config.at("options").items()) {
    std::string name(option.at("name").as_string());
    std::string text = name;
    if (const Value* value = option.find("value")) text += ":" + std::string(value->as_string());
    std::erase_if(sandbox.dns_options,
                  [&](const std::string& known) { return known.substr(0, known.find(':')) == name; });
    sandbox.dns_options.push_back(std::move(text));
  }
}

}  // namespace

Result<PodHostname> pod_hostname(const PodShape& shape, const std::string& cluster_domain) {
  const Value& spec = shape.spec();
  PodHostname result;
  if (std::string_view over = spec.at("hostnameOverride").as_string(); !over.empty()) {
    result.hostname = over;
    result.label = over;
    return result;
  }
  std::string_view given = spec.at("hostname").as_string();
  result.label = given.empty() ? shape.name : std::string(given);
  if (result.label.size() > kLabelMax) {
    result.label.resize(kLabelMax);
    while (!result.label.empty() && (result.label.back() == '-' || result.label.back() == '.')) result.label.pop_back();
  }
  result.hostname = result.label;
  std::string_view subdomain = spec.at("subdomain").as_string();
  if (!subdomain.empty()) result.domain = fmt::format("{}.{}.svc.{}", subdomain, shape.ns, cluster_domain);
  if (spec.at("setHostnameAsFQDN").as_bool() && !result.domain.empty()) {
    result.hostname = result.label + "." + result.domain;
    if (result.hostname.size() > kHostnameMax) {
      return make_error(Reason::kInvalid,
                        fmt::format("failed to construct FQDN from pod hostname and cluster domain, FQDN {} is too "
                                    "long ({} characters is the max, {} characters requested)",
                                    result.hostname, kHostnameMax, result.hostname.size()));
    }
  }
  return result;
}

std::string hosts_file(const PodShape& shape, const PodHostname& hostname, const std::vector<std::string>& ips,
                       const std::string& host_file) {
  std::string text;
  if (shape.host_network) {
    text = "# Kubernetes-managed hosts file (host network).\n" + host_file;
  } else {
    text =
        "# Kubernetes-managed hosts file.\n"
        "127.0.0.1\tlocalhost\n"
        "::1\tlocalhost ip6-localhost ip6-loopback\n"
        "fe00::0\tip6-localnet\n"
        "fe00::0\tip6-mcastprefix\n"
        "fe00::1\tip6-allnodes\n"
        "fe00::2\tip6-allrouters\n";
    for (const std::string& ip : ips) {
      text += hostname.domain.empty()
                  ? fmt::format("{}\t{}\n", ip, hostname.label)
                  : fmt::format("{}\t{}.{}\t{}\n", ip, hostname.label, hostname.domain, hostname.label);
    }
  }
  auto aliases = shape.spec().at("hostAliases").items();
  if (aliases.empty()) return text;
  text += "\n# Entries added by HostAliases.\n";
  for (const Value& alias : aliases) {
    text += alias.at("ip").as_string();
    for (const Value& name : alias.at("hostnames").items()) text += fmt::format("\t{}", name.as_string());
    text += '\n';
  }
  return text;
}

void set_dns(SandboxConfig& sandbox, const PodShape& shape, const DnsSettings& settings) {
  const Value& spec = shape.spec();
  std::string_view policy = spec.at("dnsPolicy").as_string();
  bool cluster =
      policy == "ClusterFirstWithHostNet" || (policy != "Default" && policy != "None" && !shape.host_network);
  ResolvConf host = parse_resolv_conf(settings.host_resolv_conf);
  if (policy == "None") {
    // Only dnsConfig counts.
  } else if (cluster && !settings.cluster_dns.empty()) {
    sandbox.dns_servers = {settings.cluster_dns};
    const std::string& domain = settings.cluster_domain;
    sandbox.dns_searches = {fmt::format("{}.svc.{}", shape.ns, domain), "svc." + domain, domain};
    for (const std::string& search : host.searches) append_unique(sandbox.dns_searches, search);
    sandbox.dns_options = {"ndots:5"};
  } else {
    sandbox.dns_servers = host.servers;
    sandbox.dns_searches = host.searches;
    sandbox.dns_options = host.options;
  }
  apply_dns_config(sandbox, spec.at("dnsConfig"));
  if (sandbox.dns_servers.size() > kServersMax) sandbox.dns_servers.resize(kServersMax);
  if (sandbox.dns_searches.size() > kSearchesMax) sandbox.dns_searches.resize(kSearchesMax);
  size_t characters = 0;
  for (size_t i = 0; i < sandbox.dns_searches.size(); ++i) {
    characters += sandbox.dns_searches[i].size() + 1;
    if (characters <= kSearchCharactersMax) continue;
    sandbox.dns_searches.resize(i);
    break;
  }
}

}  // namespace stead::node
