#include "controllers/custom_resources.h"

#include "kinds/meta/conditions.h"

namespace stead::controllers {
namespace {

bool is_established(const object::Object& definition) {
  return kinds::is_condition_true(definition.status(), "Established");
}

}  // namespace

CustomResources::CustomResources(client::ApiTransport& transport, loop::Loop& loop, client::InformerSet& informers)
    : transport_(transport), loop_(loop) {
  client::Informer& definitions = informers.get({"apiextensions.k8s.io", "customresourcedefinitions"});
  definitions.on_change([this](const client::ObjectPtr& before, const client::ObjectPtr& after) {
    const bool replaced = before && after && before->uid() != after->uid();
    if (before && (!after || replaced)) remove(std::string(before->name()));
    if (after && is_established(*after)) add(*after);
  });
}

void CustomResources::add(const object::Object& definition) {
  auto [found, is_new] = entries_.try_emplace(std::string(definition.name()));
  if (!is_new) return;
  Entry& entry = found->second;
  const object::Value& spec = definition.spec();
  entry.resource.resource = {std::string(spec.at("group").as_string()),
                             std::string(spec.at({"names", "plural"}).as_string())};
  entry.resource.kind = spec.at({"names", "kind"}).as_string();
  entry.resource.namespaced = spec.at("scope").as_string() == "Namespaced";
  entry.informer = std::make_unique<client::Informer>(transport_, loop_, entry.resource.resource);
  for (const Listener& listener : listeners_) listener.added(entry.resource, *entry.informer);
  entry.informer->start();
}

void CustomResources::remove(const std::string& name) {
  auto found = entries_.find(name);
  if (found == entries_.end()) return;
  for (const Listener& listener : listeners_) listener.removed(found->second.resource, *found->second.informer);
  entries_.erase(found);
}

}  // namespace stead::controllers
