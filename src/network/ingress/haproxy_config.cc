#include "network/ingress/haproxy_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace stead::network::ingress {
namespace {

// The map of prefixes gives the longest match, and a '/' after both sides makes it one of whole path elements.
constexpr char kGlobal[] = R"(# Written by stead; changes are lost.
global
  description {generation}
  stats socket unix@{admin} mode 600 level admin expose-fd listeners
  stats timeout 30s
  maxconn 8192
  hard-stop-after 1h
  ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
  tune.ssl.default-dh-param 2048
{identity}
defaults
  mode http
  option forwardfor
  option redispatch 1
  retries 3
  timeout connect 5s
  timeout client 1m
  timeout server 10m
  timeout tunnel 1h
  timeout http-request 30s
  timeout http-keep-alive 1m
  timeout queue 30s

frontend ingress
{binds}  http-request set-header X-Forwarded-Proto http if !{{ ssl_fc }}
  http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-var(txn.host) req.hdr(host),host_only,lower
  http-request set-var(txn.domain) 'var(txn.host),regsub("^[^.]+","")'
)";

constexpr char kLookUp[] = R"(  http-request set-var-fmt(txn.key) "{host}#%[path]"
  http-request set-var(txn.backend) var(txn.key),map(exact.map) if !{{ var(txn.backend) -m found }}
  http-request set-var-fmt(txn.key) "{host}#%[path]/"
  http-request set-var(txn.backend) var(txn.key),map_beg(prefix.map) if !{{ var(txn.backend) -m found }}
)";

constexpr char kHostDefaults[] =
    R"(  http-request set-var(txn.backend) var(txn.host),map(host.map) if !{ var(txn.backend) -m found }
  http-request set-var(txn.backend) var(txn.domain),map(host.map) if !{ var(txn.backend) -m found }
  use_backend %[var(txn.backend)] if { var(txn.backend) -m found }
)";

constexpr char kNobody[] = R"(
backend nobody
  http-request return status 404 content-type text/plain string "no ingress rule is for this host and path\n"
)";

std::string binds(const HaproxyOptions& options) {
  std::string text;
  if (options.http_port != 0) text += fmt::format("  bind {}:{}\n", options.address, options.http_port);
  if (options.https_port != 0) {
    text += fmt::format("  bind {}:{} ssl crt-list certificates.list alpn h2,http/1.1\n", options.address,
                        options.https_port);
  }
  return text;
}

std::string backend_text(const std::string& name, const std::vector<std::optional<Server>>& places) {
  std::string text = fmt::format("\nbackend {}\n  balance roundrobin\n", name);
  for (size_t i = 0; i < places.size(); ++i) {
    if (places[i]) {
      text += fmt::format("  server s{} {}:{}\n", i, places[i]->address, places[i]->port);
    } else {
      text += fmt::format("  server s{} 127.0.0.1:9 disabled\n", i);
    }
  }
  return text;
}

std::string config_text(const Balancer& balancer, const Slots& slots, const HaproxyOptions& options,
                        const std::string& generation) {
  std::string identity;
  if (!options.user.empty()) identity = fmt::format("  user {0}\n  group {0}\n", options.user);
  std::string text = fmt::format(kGlobal, fmt::arg("generation", generation), fmt::arg("admin", kAdminSocket),
                                 fmt::arg("identity", identity), fmt::arg("binds", binds(options)));
  for (const char* host : {"%[var(txn.host)]", "%[var(txn.domain)]", "*"}) {
    text += fmt::format(kLookUp, fmt::arg("host", host));
  }
  text += kHostDefaults;
  text += fmt::format("  default_backend {}\n", balancer.fallback.empty() ? "nobody" : balancer.fallback);
  text += kNobody;
  for (const auto& [name, places] : slots) text += backend_text(name, places);
  return text;
}

std::string certificate_list(const Balancer& balancer) {
  std::string text = std::string(kDefaultCertificateFile) + "\n";
  for (const auto& [name, certificate] : balancer.certificates) {
    text += fmt::format("tls/{}.pem {}\n", name, fmt::join(certificate.hosts, " "));
  }
  return text;
}

}  // namespace

std::map<std::string, std::string> haproxy_files(const Balancer& balancer, const Slots& slots,
                                                 const HaproxyOptions& options, const std::string& generation) {
  std::map<std::string, std::string> files;
  files[kConfigFile] = config_text(balancer, slots, options, generation);
  std::string& exact = files["exact.map"];
  for (const auto& [route, backend] : balancer.exact)
    exact += fmt::format("{}#{} {}\n", route.host, route.path, backend);
  std::string& prefixes = files["prefix.map"];
  for (const auto& [route, backend] : balancer.prefixes) {
    prefixes += fmt::format("{}#{}/ {}\n", route.host, route.path, backend);
  }
  std::string& hosts = files["host.map"];
  for (const auto& [host, backend] : balancer.host_defaults) hosts += fmt::format("{} {}\n", host, backend);
  files["certificates.list"] = certificate_list(balancer);
  for (const auto& [name, certificate] : balancer.certificates) files["tls/" + name + ".pem"] = certificate.pem;
  return files;
}

}  // namespace stead::network::ingress
