// Why nobody answers at a Service or an Ingress.

#include <fmt/format.h>

#include <algorithm>

#include "cli/why/explain.h"
#include "object/selector.h"

namespace stead::cli::why {
namespace {

using object::Object;

size_t endpoints_ready(const ClusterView& view, const Object& service) {
  size_t ready = 0;
  for (const ObjectPtr& slice : view.list("endpointslices")) {
    bool ours = slice->ns() == service.ns() &&
                slice->metadata().at({"labels", "kubernetes.io/service-name"}).as_string() == service.name();
    if (!ours) continue;
    for (const Value& endpoint : slice->document().at("endpoints").items()) {
      ready += endpoint.at({"conditions", "ready"}).as_bool(true);
    }
  }
  return ready;
}

bool has_port_named(const Object& pod, std::string_view name) {
  for (const Value& container : pod.spec().at("containers").items()) {
    for (const Value& port : container.at("ports").items()) {
      if (port.at("name").as_string() == name) return true;
    }
  }
  return false;
}

std::string selector_text(const Value& selector) { return object::LabelSelector::from_map(selector).str(); }

void add_port_causes(const Object& service, const Object& pod, Cause& cause) {
  for (const Value& port : service.spec().at("ports").items()) {
    const Value& target = port.at("targetPort");
    if (!target.is_string() || has_port_named(pod, target.as_string())) continue;
    cause.causes.push_back({fmt::format("its target port {} is no port of the pod {}", target.as_string(), pod.name()),
                            fmt::format("kubectl edit service {}{}", service.name(), namespace_option(service)),
                            {}});
  }
}

void add_class_causes(const ClusterView& view, const Object& ingress, Cause& cause) {
  const Value* named = ingress.spec().find("ingressClassName");
  std::string option = namespace_option(ingress);
  std::string mend = fmt::format("kubectl patch ingress {}{} -p '{{\"spec\":{{\"ingressClassName\":\"stead\"}}}}'",
                                 ingress.name(), option);
  if (named == nullptr) {
    if (ingress.metadata().at({"annotations", "kubernetes.io/ingress.class"}).is_string()) return;
    cause.causes.push_back({"it has no ingress class: nobody serves it", mend, {}});
    return;
  }
  ObjectPtr found = view.find("ingressclasses", "", named->as_string());
  if (!found) {
    cause.causes.push_back({fmt::format("its ingress class {} does not exist", named->as_string()), mend, {}});
  } else if (found->spec().at("controller").as_string() != "stead.dev/haproxy") {
    cause.causes.push_back({fmt::format("its class {} is for the controller {}, which is not part of this program",
                                        named->as_string(), found->spec().at("controller").as_string()),
                            mend,
                            {}});
  }
}

void add_backend_cause(const ClusterView& view, const Object& ingress, const Value& backend, Cause& cause) {
  std::string_view name = backend.at({"service", "name"}).as_string();
  if (name.empty()) return;
  ObjectPtr service = view.find("services", ingress.ns(), name);
  Cause found;
  if (!service) {
    found = {fmt::format("its service {} does not exist", name),
             fmt::format("kubectl expose pod POD --name={} --port={}{}", name,
                         backend.at({"service", "port", "number"}).as_int(80), namespace_option(ingress)),
             {}};
  } else if (endpoints_ready(view, *service) == 0) {
    found = explain_service(view, *service);
  } else {
    const Value& port = backend.at({"service", "port"});
    auto ports = service->spec().at("ports").items();
    bool known = std::any_of(ports.begin(), ports.end(), [&](const Value& each) {
      return port.at("name").as_string().empty() ? each.at("port") == port.at("number")
                                                 : each.at("name") == port.at("name");
    });
    if (known) return;
    found = {fmt::format("its service {} has no port {}{}", name, port.at("name").as_string(),
                         port.at("name").as_string().empty() ? std::to_string(port.at("number").as_int()) : ""),
             fmt::format("kubectl edit ingress {}{}", ingress.name(), namespace_option(ingress)),
             {}};
  }
  auto same = [&](const Cause& other) { return other.text == found.text; };
  if (std::none_of(cause.causes.begin(), cause.causes.end(), same)) cause.causes.push_back(std::move(found));
}

}  // namespace

Cause explain_service(const ClusterView& view, const Object& service) {
  std::string title = fmt::format("service {}/{}", service.ns(), service.name());
  const Value& spec = service.spec();
  if (spec.at("type").as_string() == "ExternalName") {
    return {fmt::format("{} is another name for {}", title, spec.at("externalName").as_string()), {}, {}};
  }
  size_t ready = endpoints_ready(view, service);
  if (ready > 0) return {fmt::format("{} has {} ready endpoints", title, ready), {}, {}};
  Cause cause{title + " has no ready endpoint: connections to it are refused", {}, {}};
  const Value& selector = spec.at("selector");
  if (selector.empty()) {
    cause.causes.push_back(
        {"it has no selector, and nobody has made endpoints for it",
         fmt::format("kubectl apply -f ENDPOINTSLICE.yaml   # with the label kubernetes.io/service-name={}",
                     service.name()),
         {}});
    return cause;
  }
  auto wanted = object::LabelSelector::from_map(selector);
  size_t matching = 0;
  for (const ObjectPtr& pod : view.list("pods")) {
    if (pod->ns() != service.ns() || !wanted.matches(pod->metadata().at("labels"))) continue;
    ++matching;
    if (condition_holds(*pod, "Ready") && !pod->deleting()) {
      add_port_causes(service, *pod, cause);
    } else {
      cause.causes.push_back(explain_pod(view, *pod));
    }
  }
  if (matching == 0) {
    cause.causes.push_back({fmt::format("no pod has the labels {}", selector_text(selector)),
                            fmt::format("kubectl get pods --show-labels{}   # then kubectl edit service {}{}",
                                        namespace_option(service), service.name(), namespace_option(service)),
                            {}});
  }
  return cause;
}

Cause explain_ingress(const ClusterView& view, const Object& ingress) {
  std::string title = fmt::format("ingress {}/{}", ingress.ns(), ingress.name());
  auto addresses = ingress.status().at({"loadBalancer", "ingress"}).items();
  Cause cause{addresses.empty() ? title + " is not served anywhere"
                                : fmt::format("{} is served at {}", title, addresses[0].at("ip").as_string()),
              {},
              {}};
  add_class_causes(view, ingress, cause);
  if (cause.causes.empty() && addresses.empty()) {
    std::string failed = view.newest_warning(ingress, {"NotServed"});
    if (!failed.empty()) cause.causes.push_back({failed, {}, {}});
  }
  add_backend_cause(view, ingress, ingress.spec().at("defaultBackend"), cause);
  for (const Value& rule : ingress.spec().at("rules").items()) {
    for (const Value& path : rule.at({"http", "paths"}).items())
      add_backend_cause(view, ingress, path.at("backend"), cause);
  }
  for (const Value& tls : ingress.spec().at("tls").items()) {
    std::string_view secret = tls.at("secretName").as_string();
    if (secret.empty() || view.find("secrets", ingress.ns(), secret)) continue;
    cause.causes.push_back(
        {fmt::format("its secret {} does not exist", secret),
         fmt::format("kubectl create secret tls {} --cert=FILE --key=FILE{}", secret, namespace_option(ingress)),
         {}});
  }
  std::string invalid = view.newest_warning(ingress, {"SecretInvalid"});
  if (!invalid.empty()) cause.causes.push_back({invalid, {}, {}});
  return cause;
}

}  // namespace stead::cli::why
