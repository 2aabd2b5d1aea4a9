#include "apiserver/front_end/proxy.h"

#include <fmt/format.h>

#include <charconv>

#include "apiserver/front_end/connect_options.h"
#include "apiserver/front_end/status_document.h"
#include "http/tls.h"

namespace stead::apiserver {
namespace {

using object::Value;

Result<uint16_t> port_number(std::string_view text) {
  uint16_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number > 0) return number;
  return make_error(Reason::kBadRequest, fmt::format("invalid port number \"{}\" (1-65535)", text));
}

ObjectPtr find_object(ApiServer& server, const client::Identity& identity, std::string_view resource,
                      const std::string& ns, const std::string& name) {
  client::Request request;
  request.verb = client::Verb::kGet;
  request.version = "v1";
  request.resource = resource;
  request.ns = ns;
  request.name = name;
  Result<Call> call = resolve(server.catalogue(), identity, request);
  return call.ok() ? server.verbs().find(*call) : nullptr;
}

Error absent(std::string_view resource, const std::string& name) {
  Error error = make_error(Reason::kNotFound, fmt::format("{} \"{}\" not found", resource, name));
  error.kind = resource;
  error.name = name;
  return error;
}

// The port named, else the first that a container declares, else the scheme's.
Result<http::Upstream> pod_target(const object::Object& pod, const ProxyName& name) {
  http::Upstream target;
  target.port = name.tls ? 443 : 80;
  target.host = pod.status().at("podIP").as_string();
  if (target.host.empty()) {
    return make_error(Reason::kBadRequest, fmt::format("pod \"{}\" has no address yet", name.name));
  }
  if (!name.port.empty()) {
    STEAD_TRY(number, port_number(name.port));
    target.port = number;
    return target;
  }
  for (const Value& container : pod.spec().at("containers").items()) {
    auto ports = container.at("ports").items();
    if (ports.empty()) continue;
    target.port = static_cast<uint16_t>(ports[0].at("containerPort").as_int());
    break;
  }
  return target;
}

// A number names the service's port; endpoints know the port's name.
Result<std::string> service_port_name(const object::Object& service, const ProxyName& name) {
  if (name.port.empty() || name.port.find_first_not_of("0123456789") != std::string::npos) return name.port;
  STEAD_TRY(number, port_number(name.port));
  for (const Value& port : service.spec().at("ports").items()) {
    if (port.at("port").as_int() == number) return std::string(port.at("name").as_string());
  }
  return make_error(Reason::kUnavailable,
                    fmt::format("no service port {} found for service \"{}\"", number, name.name));
}

Result<http::Upstream> service_target(const object::Object& service, const object::Object* endpoints,
                                      const ProxyName& name) {
  static size_t turn = 0;  // of the API's loop: takes endpoints in turns
  STEAD_TRY(port_name, service_port_name(service, name));
  std::vector<http::Upstream> found;
  if (endpoints != nullptr) {
    for (const Value& subset : endpoints->document().at("subsets").items()) {
      for (const Value& port : subset.at("ports").items()) {
        if (port.at("name").as_string() != port_name) continue;
        for (const Value& address : subset.at("addresses").items()) {
          http::Upstream& target = found.emplace_back();
          target.host = address.at("ip").as_string();
          target.port = static_cast<uint16_t>(port.at("port").as_int());
        }
      }
    }
  }
  if (found.empty()) {
    return make_error(Reason::kUnavailable, fmt::format("no endpoints available for service \"{}\"", name.name));
  }
  return found[turn++ % found.size()];
}

client::Verb verb_of(std::string_view method) {
  if (method == "POST") return client::Verb::kCreate;
  if (method == "PUT") return client::Verb::kUpdate;
  if (method == "PATCH") return client::Verb::kPatch;
  if (method == "DELETE") return client::Verb::kDelete;
  return client::Verb::kGet;
}

Result<http::Upstream> find_target(ApiServer& server, const client::Identity& identity, const Route& route,
                                   const ProxyName& name) {
  ObjectPtr object = find_object(server, identity, route.resource, route.ns, name.name);
  if (!object) return absent(route.resource, name.name);
  if (route.resource == "pods") return pod_target(*object, name);
  ObjectPtr endpoints = find_object(server, identity, "endpoints", route.ns, name.name);
  return service_target(*object, endpoints.get(), name);
}

// As upstream: what a pod presents is not verified, there is nothing to verify it against; and it may take its time.
Result<void> set_terms(http::Upstream& target, bool tls) {
  static const Result<http::TlsContext> unverified = http::make_client_tls("", "", "");
  if (tls) {
    if (!unverified.ok()) return unverified.error();
    target.tls = *unverified;
  }
  target.answer_timeout = std::chrono::seconds(0);
  target.unreachable = [](const std::string& why) {
    return error_response(make_error(Reason::kUnavailable, "error trying to reach service: " + why));
  };
  return {};
}

void pass_on(ApiServer& server, NodeGateway& nodes, const client::Identity& identity, const Route& route,
             const ProxyName& name, const http::ExchangePtr& exchange, const std::string& rest) {
  auto refuse = [&](const Error& error) { exchange->respond(error_response(error)); };
  if (route.resource == "nodes") {
    if (!find_object(server, identity, "nodes", "", name.name)) return refuse(absent("nodes", name.name));
    return nodes.forward(name.name, exchange, rest);
  }
  Result<http::Upstream> target = find_target(server, identity, route, name);
  if (!target.ok()) return refuse(target.error());
  Result<void> set = set_terms(*target, name.tls);
  if (!set.ok()) return refuse(set.error());
  exchange->relay(*target, rest);
}

}  // namespace

bool is_proxy(const Route& route) {
  bool has_one = route.resource == "pods" || route.resource == "services" || route.resource == "nodes";
  return route.group.empty() && has_one && !route.name.empty() && route.subresource == "proxy";
}

std::optional<ProxyName> parse_proxy_name(std::string_view text) {
  size_t first = text.find(':');
  if (first == std::string_view::npos) return ProxyName{false, std::string(text), {}};
  size_t second = text.find(':', first + 1);
  if (second == std::string_view::npos) {
    return ProxyName{false, std::string(text.substr(0, first)), std::string(text.substr(first + 1))};
  }
  std::string_view scheme = text.substr(0, first);
  if ((scheme != "http" && scheme != "https" && !scheme.empty()) ||
      text.find(':', second + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  return ProxyName{scheme == "https", std::string(text.substr(first + 1, second - first - 1)),
                   std::string(text.substr(second + 1))};
}

std::string proxied_target(std::string_view target, bool namespaced) {
  // /api/v1/namespaces/NS/pods/NAME/proxy or /api/v1/nodes/NAME/proxy; empty segments do not count.
  size_t segments = namespaced ? 7 : 5;
  size_t path_end = std::min(target.find('?'), target.size());
  size_t at = 0;
  while (segments > 0 && at < path_end) {
    while (at < path_end && target[at] == '/') ++at;
    at = std::min(target.find('/', at), path_end);
    --segments;
  }
  return std::string(target.substr(at));
}

void serve_proxy(ApiServer& server, NodeGateway& nodes, const client::Identity& identity, const Route& route,
                 const http::ExchangePtr& exchange) {
  const http::Request& http = exchange->request();
  auto refuse = [&](const Error& error) { exchange->respond(error_response(error)); };
  client::Request request;
  request.verb = verb_of(http.method);
  request.version = route.version;
  request.resource = route.resource;
  request.ns = route.ns;
  request.name = route.name;
  request.subresource = route.subresource;
  Result<void> allowed = server.authorizer().authorize(identity, request);
  if (!allowed.ok()) return refuse(allowed.error());
  std::optional<ProxyName> name = parse_proxy_name(route.name);
  if (!name || name->name.empty()) {
    return refuse(
        make_error(Reason::kBadRequest, fmt::format("invalid {} request \"{}\"", route.resource, route.name)));
  }
  std::string rest = proxied_target(http.target, route.resource != "nodes");
  if (rest.empty() || rest.front() == '?') {
    // Relative links of what is there only work below a directory.
    if (http.method == "GET" || http.method == "HEAD") {
      http::Response moved;
      moved.status = 301;
      moved.headers.emplace_back("Location", http.target.substr(0, http.target.size() - rest.size()) + "/" + rest);
      return exchange->respond(std::move(moved));
    }
    rest.insert(0, "/");
  }
  Value options = connect_options(route, http, rest);
  server.admit_connection(identity, request, std::move(options), [=, &server, &nodes](Result<void> admitted) {
    if (!admitted.ok()) return exchange->respond(error_response(admitted.error()));
    pass_on(server, nodes, identity, route, *name, exchange, rest);
  });
}

}  // namespace stead::apiserver
