#include "app/rbac_bootstrap.h"

#include <map>
#include <memory>

#include "apiserver/authorization/bootstrap_policy.h"

namespace stead::app {
namespace {

using apiserver::BootstrapObject;
using client::Request;
using client::Response;

constexpr std::string_view kResources[] = {"clusterroles", "clusterrolebindings", "roles", "rolebindings"};

Request request_for(client::Verb verb, std::string_view resource) {
  Request request;
  request.verb = verb;
  request.group = "rbac.authorization.k8s.io";
  request.resource = resource;
  return request;
}

// Lists the four resources, then makes all writes at once: the store commits them together.
struct Reconciliation : std::enable_shared_from_this<Reconciliation> {
  Reconciliation(client::ApiTransport& the_transport, std::function<void(Result<void>)> the_done)
      : transport(the_transport), done(std::move(the_done)) {}

  client::ApiTransport& transport;
  std::function<void(Result<void>)> done;
  std::map<std::string, client::ObjectPtr> existing;  // "roles/kube-system/x"
  size_t pending = 0;
  Result<void> outcome;

  static std::string key(std::string_view resource, std::string_view ns, std::string_view name) {
    return std::string(resource) + "/" + std::string(ns) + "/" + std::string(name);
  }

  void list() {
    pending = std::size(kResources);
    for (std::string_view resource : kResources) {
      transport.call(request_for(client::Verb::kList, resource),
                     [self = shared_from_this(), resource](const Result<Response>& response) {
                       self->listed(resource, response);
                     });
    }
  }

  void listed(std::string_view resource, const Result<Response>& response) {
    if (!response.ok()) outcome = response.error();
    if (response.ok()) {
      for (const client::ObjectPtr& object : response->items) {
        existing[key(resource, object->ns(), object->name())] = object;
      }
    }
    if (--pending > 0) return;
    if (!outcome.ok()) return done(outcome);
    write();
  }

  void write() {
    pending = 1;
    for (BootstrapObject& wanted : apiserver::bootstrap_policy()) {
      const object::Value& metadata = wanted.document.at("metadata");
      std::string ns(metadata.at("namespace").as_string());
      std::string name(metadata.at("name").as_string());
      auto found = existing.find(key(wanted.resource, ns, name));
      bool absent = found == existing.end();
      std::optional<object::Value> body = std::move(wanted.document);
      if (!absent) body = apiserver::reconciled(found->second->document(), *body);
      if (!body) continue;
      Request request = request_for(absent ? client::Verb::kCreate : client::Verb::kUpdate, wanted.resource);
      request.ns = ns;
      if (!absent) request.name = name;
      request.body = std::move(*body);
      ++pending;
      transport.call(std::move(request),
                     [self = shared_from_this()](const Result<Response>& response) { self->written(response); });
    }
    written(Response{});
  }

  void written(const Result<Response>& response) {
    if (!response.ok() && response.error().reason != Reason::kAlreadyExists && outcome.ok()) outcome = response.error();
    if (--pending == 0) done(outcome);
  }
};

}  // namespace

void bootstrap_rbac(client::ApiTransport& transport, std::function<void(Result<void>)> done) {
  std::make_shared<Reconciliation>(transport, std::move(done))->list();
}

}  // namespace stead::app
