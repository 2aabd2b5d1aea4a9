#include "apiserver/front_end/pod_streams.h"

#include <fmt/format.h>

#include "apiserver/front_end/connect_options.h"
#include "apiserver/front_end/status_document.h"

namespace stead::apiserver {
namespace {

using object::Value;

constexpr std::string_view kDefaultContainerAnnotation = "kubectl.kubernetes.io/default-container";

// The container a request is about: named, annotated as default, or the only one.
Result<std::string> choose_container(const object::Object& pod, std::string_view wanted) {
  std::string names;
  std::vector<std::string> all;
  for (std::string_view list : {"containers", "initContainers", "ephemeralContainers"}) {
    for (const Value& container : pod.spec().at(list).items()) all.emplace_back(container.at("name").as_string());
  }
  if (!wanted.empty()) {
    for (const std::string& name : all) {
      if (name == wanted) return name;
    }
    return make_error(Reason::kBadRequest, fmt::format("container {} is not valid for pod {}", wanted, pod.name()));
  }
  auto containers = pod.spec().at("containers").items();
  if (containers.size() == 1) return std::string(containers[0].at("name").as_string());
  std::string_view annotated = pod.metadata().at({"annotations", kDefaultContainerAnnotation}).as_string();
  for (const Value& container : containers) {
    if (container.at("name").as_string() == annotated) return std::string(annotated);
    names.append(names.empty() ? "" : " ").append(container.at("name").as_string());
  }
  return make_error(
      Reason::kBadRequest,
      fmt::format("a container name must be specified for pod {}, choose one of: [{}]", pod.name(), names));
}

std::string query_of(const http::Request& request, bool stream) {
  std::string query;
  auto add = [&](std::string_view name, std::string_view value) {
    query.append(query.empty() ? "?" : "&").append(name).append("=").append(http::percent_encode(value));
  };
  for (const auto& [name, value] : request.query) {
    if (name == "container") continue;
    // The kubelet's names of the streams differ from the API's.
    std::string_view to = name;
    if (stream && name == "stdin") to = "input";
    if (stream && name == "stdout") to = "output";
    if (stream && name == "stderr") to = "error";
    bool flag = stream && (name == "stdin" || name == "stdout" || name == "stderr" || name == "tty");
    if (flag) {
      if (request.has_flag(name)) add(to, "1");
    } else {
      add(to, value);
    }
  }
  return query;
}

Result<std::string> target_of(const object::Object& pod, const Route& route, const http::Request& request) {
  if (route.subresource == "portforward") {
    return fmt::format("/portForward/{}/{}{}", pod.ns(), pod.name(), query_of(request, false));
  }
  STEAD_TRY(container, choose_container(pod, request.query_value("container")));
  std::string path = route.subresource == "log" ? "containerLogs" : route.subresource;
  return fmt::format("/{}/{}/{}/{}{}", path, pod.ns(), pod.name(), container,
                     query_of(request, route.subresource != "log"));
}

void forward_stream(ApiServer& server, NodeGateway& nodes, const client::Identity& identity,
                    const client::Request& request, const Route& route, const http::ExchangePtr& exchange) {
  auto refuse = [&](const Error& error) { exchange->respond(error_response(error)); };
  Result<Call> call = resolve(server.catalogue(), identity, request);
  if (!call.ok()) return refuse(call.error());
  ObjectPtr pod = server.verbs().find(*call);
  if (!pod) return refuse(not_found_error(*call, route.name));
  std::string node(pod->spec().at("nodeName").as_string());
  Result<std::string> target = target_of(*pod, route, exchange->request());
  if (!target.ok()) return refuse(target.error());
  if (node.empty()) {
    // Logs of a pod that has not been placed are empty; nothing can run in it.
    if (route.subresource == "log") return exchange->respond(http::Response::text(200, ""));
    return refuse(make_error(Reason::kBadRequest, fmt::format("pod {} does not have a host assigned", route.name)));
  }
  nodes.forward(node, exchange, *target);
}

}  // namespace

bool is_pod_stream(const Route& route) {
  if (!route.group.empty() || route.resource != "pods" || route.name.empty()) return false;
  const std::string& sub = route.subresource;
  return sub == "log" || sub == "exec" || sub == "attach" || sub == "portforward";
}

void serve_pod_stream(ApiServer& server, NodeGateway& nodes, const client::Identity& identity, const Route& route,
                      const http::ExchangePtr& exchange) {
  const http::Request& http = exchange->request();
  client::Request request;
  request.verb = http.method == "GET" ? client::Verb::kGet : client::Verb::kCreate;
  request.resource = route.resource;
  request.version = route.version;
  request.ns = route.ns;
  request.name = route.name;
  request.subresource = route.subresource;
  auto refuse = [&](const Error& error) { exchange->respond(error_response(error)); };
  Result<void> allowed = server.authorizer().authorize(identity, request);
  if (!allowed.ok()) return refuse(allowed.error());
  // A WebSocket begins with GET, but to run something takes more than to read.
  if (route.subresource != "log") {
    request.verb = client::Verb::kCreate;
    allowed = server.authorizer().authorize(identity, request);
    if (!allowed.ok()) return refuse(allowed.error());
  }
  if (route.subresource == "log") return forward_stream(server, nodes, identity, request, route, exchange);
  server.admit_connection(identity, request, connect_options(route, http, {}),
                          [=, &server, &nodes](Result<void> admitted) {
                            if (!admitted.ok()) return exchange->respond(error_response(admitted.error()));
                            forward_stream(server, nodes, identity, request, route, exchange);
                          });
}

}  // namespace stead::apiserver
