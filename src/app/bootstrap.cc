#include "app/bootstrap.h"

#include <memory>
#include <vector>

#include "kinds/scheduling/scheduling_rules.h"
#include "network/ingress/route_policy.h"

namespace stead::app {
namespace {

using client::Request;
using object::Value;

Request create(std::string group, std::string resource, std::string ns, Value body) {
  Request request;
  request.verb = client::Verb::kCreate;
  request.group = std::move(group);
  request.resource = std::move(resource);
  request.ns = std::move(ns);
  request.body = std::move(body);
  return request;
}

Request make_namespace(std::string_view name) {
  return create(
      "", "namespaces", "",
      Value::object({{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", Value::object({{"name", name}})}}));
}

Value port(std::string_view name, std::string_view protocol, int number, int target) {
  Value value = Value::object({{"name", name}, {"protocol", protocol}, {"port", number}});
  if (target > 0) value.set("targetPort", target);
  return value;
}

Request make_service(std::string_view ns, std::string_view name, std::string_view address, Value labels, Value ports) {
  return create(
      "", "services", std::string(ns),
      Value::object(
          {{"apiVersion", "v1"},
           {"kind", "Service"},
           {"metadata", Value::object({{"name", name}, {"namespace", ns}, {"labels", std::move(labels)}})},
           {"spec", Value::object({{"type", "ClusterIP"}, {"clusterIP", address}, {"ports", std::move(ports)}})}}));
}

Request make_endpoints(std::string_view ns, std::string_view name, std::string_view address, Value ports) {
  Value addresses = Value::array({Value::object({{"ip", address}})});
  Value subset = Value::object({{"addresses", std::move(addresses)}, {"ports", std::move(ports)}});
  return create(
      "", "endpoints", std::string(ns),
      Value::object(
          {{"apiVersion", "v1"},
           {"kind", "Endpoints"},
           {"metadata",
            Value::object({{"name", name},
                           {"namespace", ns},
                           {"labels", Value::object({{"endpointslice.kubernetes.io/skip-mirror", "true"}})}})},
           {"subsets", Value::array({std::move(subset)})}}));
}

Request make_slice(std::string_view ns, std::string_view name, std::string_view address, Value ports) {
  Value endpoint =
      Value::object({{"addresses", Value::array({address})}, {"conditions", Value::object({{"ready", true}})}});
  return create(
      "discovery.k8s.io", "endpointslices", std::string(ns),
      Value::object({{"apiVersion", "discovery.k8s.io/v1"},
                     {"kind", "EndpointSlice"},
                     {"metadata", Value::object({{"name", name},
                                                 {"namespace", ns},
                                                 {"labels", Value::object({{"kubernetes.io/service-name", name}})}})},
                     {"addressType", "IPv4"},
                     {"endpoints", Value::array({std::move(endpoint)})},
                     {"ports", std::move(ports)}}));
}

Request make_priority_class(const kinds::SystemPriorityClass& system) {
  return create("scheduling.k8s.io", "priorityclasses", "",
                Value::object({{"apiVersion", "scheduling.k8s.io/v1"},
                               {"kind", "PriorityClass"},
                               {"metadata", Value::object({{"name", system.name}})},
                               {"value", system.value},
                               {"description", system.description}}));
}

Request make_cluster_facts(const BootstrapOptions& options) {
  return create("", "configmaps", "kube-system",
                Value::object({{"apiVersion", "v1"},
                               {"kind", "ConfigMap"},
                               {"metadata", Value::object({{"name", kClusterFacts}, {"namespace", "kube-system"}})},
                               {"data", Value::object({{"podCIDR", options.pod_cidr},
                                                       {"serviceCIDR", options.service_cidr},
                                                       {"clusterDomain", options.cluster_domain},
                                                       {"podNetwork", options.pod_network},
                                                       {"apiServiceAddress", options.api_service_address},
                                                       {"dnsServiceAddress", options.dns_service_address}})}}));
}

// Marked as default once, when it is made: who takes the mark away has it stay away.
Request make_ingress_class() {
  Value annotations = Value::object({{"ingressclass.kubernetes.io/is-default-class", "true"}});
  return create(
      "networking.k8s.io", "ingressclasses", "",
      Value::object({{"apiVersion", "networking.k8s.io/v1"},
                     {"kind", "IngressClass"},
                     {"metadata", Value::object({{"name", "stead"}, {"annotations", std::move(annotations)}})},
                     {"spec", Value::object({{"controller", network::ingress::kControllerName}})}}));
}

struct Sequence : std::enable_shared_from_this<Sequence> {
  Sequence(client::ApiTransport& the_transport, std::function<void(Result<void>)> the_done)
      : transport(the_transport), done(std::move(the_done)) {}
  client::ApiTransport& transport;
  std::function<void(Result<void>)> done;
  std::vector<Request> requests;
  size_t next = 0;

  void run() {
    if (next == requests.size()) return done({});
    Request request = requests[next++];
    transport.call(request, [self = shared_from_this(), request](const Result<client::Response>& response) {
      if (response.ok()) return self->run();
      if (response.error().reason != Reason::kAlreadyExists) return self->done(response.error());
      self->refresh(request);
    });
  }

  // The node's address or an option may have changed since the last start: what says so is brought up to date.
  void refresh(const Request& created) {
    if (created.resource == "namespaces" || created.resource == "services") return run();
    Request request = created;
    request.verb = client::Verb::kUpdate;
    request.name = created.body.at({"metadata", "name"}).as_string();
    transport.call(request, [self = shared_from_this()](const Result<client::Response>& response) {
      if (!response.ok()) return self->done(response.error());
      self->run();
    });
  }
};

}  // namespace

void bootstrap(client::ApiTransport& transport, const BootstrapOptions& options,
               std::function<void(Result<void>)> done) {
  auto sequence = std::make_shared<Sequence>(transport, std::move(done));
  for (std::string_view name : {"default", "kube-system", "kube-public", "kube-node-lease"}) {
    sequence->requests.push_back(make_namespace(name));
  }
  for (const auto& system : kinds::system_priority_classes()) {
    sequence->requests.push_back(make_priority_class(system));
  }
  sequence->requests.push_back(make_service("default", "kubernetes", options.api_service_address,
                                            Value::object({{"component", "apiserver"}, {"provider", "kubernetes"}}),
                                            Value::array({port("https", "TCP", 443, options.api_port)})));
  sequence->requests.push_back(make_endpoints("default", "kubernetes", options.node_address,
                                              Value::array({port("https", "TCP", options.api_port, 0)})));
  sequence->requests.push_back(make_slice("default", "kubernetes", options.node_address,
                                          Value::array({port("https", "TCP", options.api_port, 0)})));
  sequence->requests.push_back(make_service(
      "kube-system", "kube-dns", options.dns_service_address,
      Value::object(
          {{"k8s-app", "kube-dns"}, {"kubernetes.io/name", "CoreDNS"}, {"kubernetes.io/cluster-service", "true"}}),
      Value::array({port("dns", "UDP", 53, 53), port("dns-tcp", "TCP", 53, 53)})));
  Value dns_ports = Value::array({port("dns", "UDP", 53, 0), port("dns-tcp", "TCP", 53, 0)});
  sequence->requests.push_back(make_endpoints("kube-system", "kube-dns", options.dns_service_address, dns_ports));
  sequence->requests.push_back(make_slice("kube-system", "kube-dns", options.dns_service_address, dns_ports));
  if (!options.pod_cidr.empty()) sequence->requests.push_back(make_cluster_facts(options));
  if (options.ingress_class) sequence->requests.push_back(make_ingress_class());
  sequence->run();
}

}  // namespace stead::app
