#include "controllers/namespaces/namespace_controller.h"

#include "base/log.h"
#include "controllers/apply_plans.h"
#include "controllers/namespaces/namespace_policy.h"
#include "controllers/requests.h"

namespace stead::controllers {
namespace {

constexpr std::string_view kAccount = "default";
constexpr std::string_view kRootCa = "kube-root-ca.crt";

}  // namespace

NamespaceController::NamespaceController(client::ApiTransport& transport, loop::Loop& loop,
                                         client::EventRecorder& events, client::InformerSet& informers,
                                         std::vector<ServedResource> resources, std::string root_ca_pem)
    : transport_(transport),
      loop_(loop),
      events_(events),
      informers_(informers),
      root_ca_pem_(std::move(root_ca_pem)),
      namespaces_(informers.get(kNamespaces)),
      service_accounts_(informers.get(kServiceAccounts)),
      config_maps_(informers.get(kConfigMaps)),
      queue_(loop, "namespaces", 8, [this](auto& name, auto finish) { work(name, std::move(finish)); }) {
  namespaces_.on_change([this](const ObjectPtr&, const ObjectPtr& after) {
    if (after) queue_.add(std::string(after->name()));
  });
  for (const ServedResource& resource : resources) {
    if (!resource.namespaced) continue;
    client::Informer& informer = informers.get(resource.resource);
    add_source(resource.resource, informer);
  }
}

void NamespaceController::add_source(const client::ResourceRef& resource, client::Informer& informer) {
  sources_.push_back({resource, &informer});
  informer.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    const ObjectPtr& object = after ? after : before;
    bool kept = object->name() == kAccount || object->name() == kRootCa;
    // Contents matter to a namespace that is being deleted: what came too late, what keeps one, that one is gone.
    bool tells = !before || !after || before->deleting() != after->deleting() ||
                 before->metadata().at("finalizers") != after->metadata().at("finalizers");
    ObjectPtr ns = namespaces_.get(object->ns());
    if (ns && (kept || (ns->deleting() && tells))) queue_.add(std::string(object->ns()));
  });
}

void NamespaceController::follow(CustomResources& custom) {
  auto added = [this](const ServedResource& resource, client::Informer& informer) {
    if (!resource.namespaced) return;
    add_source(resource.resource, informer);
    informer.when_synced([this] { reconsider_deleted(); });
  };
  auto removed = [this](const ServedResource&, client::Informer& informer) {
    std::erase_if(sources_, [&](const Source& source) { return source.informer == &informer; });
    reconsider_deleted();
  };
  custom.listen({added, removed});
}

void NamespaceController::reconsider_deleted() {
  for (const ObjectPtr& ns : namespaces_.list()) {
    if (ns->deleting()) queue_.add(std::string(ns->name()));
  }
}

void NamespaceController::start() {
  for (client::Request& request : namespaces::standard_namespaces()) {
    transport_.call(std::move(request), [](const Result<client::Response>& response) {
      if (response.ok() || response.error().reason == Reason::kAlreadyExists) return;
      log::warning("namespaces", "standard namespace: {}", response.error().message);
    });
  }
  informers_.when_synced([this] { queue_.start(); });
}

void NamespaceController::work(const std::string& name, client::WorkQueue::Finish finish) {
  namespaces::Observed observed;
  observed.ns = namespaces_.get(name);
  if (!observed.ns) return finish(client::Outcome::done());
  if (observed.ns->deleting()) {
    for (const Source& source : sources_) {
      // What may be in it is not known yet; then it is looked at again.
      if (!source.informer->synced()) return finish(client::Outcome::done());
      for (ObjectPtr& object : source.informer->list_namespace(name)) {
        observed.contents.push_back({std::move(object), source.resource});
      }
    }
  } else {
    observed.service_account = service_accounts_.get(name, kAccount);
    observed.root_ca = config_maps_.get(name, kRootCa);
  }
  apply_plans(transport_, events_, namespaces::decide(observed, root_ca_pem_, loop_.wall_now()), std::move(finish));
}

}  // namespace stead::controllers
