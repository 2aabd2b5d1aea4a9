#include "network/ingress/route_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace stead::network::ingress {
namespace {

using object::Object;
using object::ObjectPtr;
using object::Value;

constexpr std::string_view kClassAnnotation = "kubernetes.io/ingress.class";
constexpr std::string_view kUnserved = "unserved";  // a backend that nothing stands behind

std::string key_of(const Object& object) { return std::string(object.ns()) + "/" + std::string(object.name()); }

HostPattern pattern_of(std::string_view host) {
  if (host.empty()) return "*";
  return std::string(host.starts_with("*.") ? host.substr(1) : host);
}

// What may stand in a map of HAProxy: a request's path holds nothing else anyway.
bool is_plain(std::string_view path) {
  return std::all_of(path.begin(), path.end(), [](unsigned char c) { return c > 0x20 && c != 0x7f; });
}

const Value* find_port(const Value& service, const Value& wanted) {
  for (const Value& port : service.at({"spec", "ports"}).items()) {
    const Value& name = wanted.at("name");
    bool same =
        name.as_string().empty() ? port.at("port").as_int() == wanted.at("number").as_int() : port.at("name") == name;
    if (same) return &port;
  }
  return nullptr;
}

std::string port_text(const Value& port) {
  std::string_view name = port.at("name").as_string();
  return name.empty() ? std::to_string(port.at("number").as_int()) : std::string(name);
}

// Ready endpoints of a port; where there are none, those that end but still serve (KEP-1669). A slice's port without
// a number stands for the service's own.
std::vector<Server> servers_of(const std::vector<ObjectPtr>& slices, const Value& service_port) {
  std::vector<Server> ready;
  std::vector<Server> leaving;
  for (const ObjectPtr& slice : slices) {
    const Value& document = slice->document();
    if (document.at("addressType").as_string() != "IPv4") continue;
    for (const Value& port : document.at("ports").items()) {
      if (port.at("name").as_string() != service_port.at("name").as_string()) continue;
      int64_t number = port.at("port").as_int(service_port.at("port").as_int());
      for (const Value& endpoint : document.at("endpoints").items()) {
        if (endpoint.at("addresses").empty()) continue;
        Server server{std::string(endpoint.at("addresses").items()[0].as_string()), static_cast<uint16_t>(number)};
        const Value& conditions = endpoint.at("conditions");
        if (conditions.at("ready").as_bool(true)) {
          ready.push_back(std::move(server));
        } else if (conditions.at("terminating").as_bool() && conditions.at("serving").as_bool(true)) {
          leaving.push_back(std::move(server));
        }
      }
    }
  }
  std::vector<Server>& chosen = ready.empty() ? leaving : ready;
  std::sort(chosen.begin(), chosen.end());
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return std::move(chosen);
}

class Decider {
 public:
  explicit Decider(const Observed& observed) : observed_(observed) {}

  Decision decide() && {
    std::vector<ObjectPtr> ours;
    for (const ObjectPtr& ingress : observed_.ingresses) {
      if (!ingress->deleting() && is_ours(*ingress, observed_.classes)) ours.push_back(ingress);
    }
    // Of two that claim the same, the older has it.
    std::sort(ours.begin(), ours.end(), [](const ObjectPtr& a, const ObjectPtr& b) {
      auto age = [](const Object& object) {
        return std::make_tuple(object.metadata().at("creationTimestamp").as_string(), object.ns(), object.name());
      };
      return age(*a) < age(*b);
    });
    for (const ObjectPtr& ingress : ours) add(ingress);
    return std::move(decision_);
  }

 private:
  void add(const ObjectPtr& ingress) {
    current_ = ingress.get();
    decision_.served.push_back({ingress, {}});
    const Value& spec = ingress->spec();
    std::vector<HostPattern> hosts;
    for (const Value& rule : spec.at("rules").items()) {
      HostPattern host = pattern_of(rule.at("host").as_string());
      for (const Value& path : rule.at({"http", "paths"}).items()) add_path(host, path);
      hosts.push_back(std::move(host));
    }
    if (const Value* fallback = spec.find("defaultBackend")) add_default(hosts, backend_of(*fallback));
    for (const Value& tls : spec.at("tls").items()) add_certificate(tls, spec);
  }

  // For its own hosts at once; for all other requests only where no older Ingress has claimed them.
  void add_default(const std::vector<HostPattern>& hosts, const std::string& backend) {
    for (const HostPattern& host : hosts) {
      if (host != "*") decision_.balancer.host_defaults.emplace(host, backend);
    }
    if (decision_.balancer.fallback.empty()) decision_.balancer.fallback = backend;
  }

  void add_path(const HostPattern& host, const Value& entry) {
    std::string path(entry.at("path").as_string());
    if (!is_plain(path)) {
      return problem("PathIgnored", fmt::format("path \"{}\" holds a character that no request's path can", path));
    }
    bool exact = entry.at("pathType").as_string() == "Exact";
    while (!exact && path.ends_with('/')) path.pop_back();
    auto& routes = exact ? decision_.balancer.exact : decision_.balancer.prefixes;
    Route route{host, std::move(path)};
    if (auto owner = owners_.find({exact, route}); owner != owners_.end()) {
      if (owner->second != current_) {
        problem("RuleIgnored",
                fmt::format("host \"{}\", path \"{}\" is served for the older Ingress {}", host == "*" ? "" : host,
                            entry.at("path").as_string(), key_of(*owner->second)));
      }
      return;
    }
    routes.emplace(route, backend_of(entry.at("backend")));
    owners_.emplace(std::make_pair(exact, std::move(route)), current_);
  }

  std::string backend_of(const Value& backend) {
    const Value* service = backend.find("service");
    if (service == nullptr) {
      problem("BackendIgnored", "a resource backend is not supported; requests for it are answered 503");
      decision_.balancer.backends[std::string(kUnserved)];
      return std::string(kUnserved);
    }
    const Value& port = service->at("port");
    std::string key = fmt::format("{}/{}", current_->ns(), service->at("name").as_string());
    std::string name = fmt::format("{}_{}_{}", current_->ns(), service->at("name").as_string(), port_text(port));
    std::vector<Server> servers = find_servers(key, port);
    decision_.balancer.backends[name] = std::move(servers);
    return name;
  }

  std::vector<Server> find_servers(const std::string& key, const Value& port) {
    decision_.services.insert(key);
    ObjectPtr service = observed_.service(key);
    if (!service) {
      problem("ServiceNotFound", fmt::format("service \"{}\" not found; requests for it are answered 503", key));
      return {};
    }
    if (service->spec().at("type").as_string() == "ExternalName") {
      problem("BackendIgnored", fmt::format("service \"{}\" is of type ExternalName, which is not supported", key));
      return {};
    }
    const Value* service_port = find_port(service->document(), port);
    if (service_port == nullptr) {
      problem("ServicePortNotFound",
              fmt::format("service \"{}\" has no port {}; requests for it are answered 503", key, port_text(port)));
      return {};
    }
    return servers_of(observed_.slices(key), *service_port);
  }

  void add_certificate(const Value& tls, const Value& spec) {
    std::string_view name = tls.at("secretName").as_string();
    if (name.empty()) return;
    std::string key = fmt::format("{}/{}", current_->ns(), name);
    decision_.secrets.insert(key);
    ObjectPtr secret = observed_.secret(key);
    if (!secret) return problem("SecretNotFound", fmt::format("secret \"{}\" not found{}", key, kDefaultCertificate));
    Result<std::string> pem = observed_.certificate(*secret);
    if (!pem.ok()) {
      return problem("SecretInvalid",
                     fmt::format("secret \"{}\": {}{}", key, pem.error().message, kDefaultCertificate));
    }
    Certificate& certificate = decision_.balancer.certificates[fmt::format("{}_{}", current_->ns(), name)];
    certificate.pem = std::move(*pem);
    auto add_host = [&](std::string_view host) {
      if (host.empty()) return;
      std::vector<std::string>& hosts = certificate.hosts;
      if (std::find(hosts.begin(), hosts.end(), host) == hosts.end()) hosts.emplace_back(host);
    };
    for (const Value& host : tls.at("hosts").items()) add_host(host.as_string());
    if (!tls.at("hosts").empty()) return;
    for (const Value& rule : spec.at("rules").items()) add_host(rule.at("host").as_string());
  }

  void problem(std::string reason, std::string message) {
    std::vector<Problem>& all = decision_.served.back().problems;
    Problem found{std::move(reason), std::move(message)};
    if (std::find(all.begin(), all.end(), found) == all.end()) all.push_back(std::move(found));
  }

  static constexpr std::string_view kDefaultCertificate = "; a certificate that no client trusts is shown instead";

  const Observed& observed_;
  Decision decision_;
  const Object* current_ = nullptr;
  std::map<std::pair<bool, Route>, const Object*> owners_;
};

}  // namespace

bool is_ours(const Object& ingress, const std::vector<ObjectPtr>& classes) {
  const Value* named = ingress.spec().find("ingressClassName");
  const Value& name = named != nullptr ? *named : ingress.metadata().at({"annotations", kClassAnnotation});
  if (!name.is_string()) return false;
  return std::any_of(classes.begin(), classes.end(), [&](const ObjectPtr& candidate) {
    return candidate->name() == name.as_string() && candidate->spec().at("controller").as_string() == kControllerName;
  });
}

Decision decide(const Observed& observed) { return Decider(observed).decide(); }

}  // namespace stead::network::ingress
