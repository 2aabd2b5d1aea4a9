#include "controllers/quota/quota_controller.h"

#include "controllers/requests.h"
#include "kinds/semantics/quota_usage.h"

namespace stead::controllers {
namespace {

constexpr size_t kWorkers = 4;

}  // namespace

object::Value quota_status(const object::Object& quota, const std::vector<CountedObjects>& objects) {
  kinds::QuotaAmounts sum;
  for (const CountedObjects& counted : objects) {
    const auto& [group, resource] = counted.resource;
    for (const ObjectPtr& object : counted.objects) {
      if (!kinds::quota_covers(quota.document(), group, resource, object->document())) continue;
      for (const auto& [name, amount] : kinds::quota_usage(group, resource, object->document())) {
        auto [entry, fresh] = sum.emplace(name, amount);
        if (!fresh) entry->second = entry->second + amount;
      }
    }
  }
  Value used = Value::object();
  for (const object::Member& hard : quota.spec().at("hard").members()) {
    auto found = sum.find(hard.name());
    used.set(hard.name(), found == sum.end() ? std::string("0") : found->second.str());
  }
  Value status = Value::object();
  if (const Value* hard = quota.spec().find("hard")) status.set("hard", *hard);
  if (!used.empty()) status.set("used", std::move(used));
  return status;
}

QuotaController::QuotaController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                                 client::InformerSet& informers, const std::vector<ServedResource>& resources)
    : transport_(transport),
      events_(events),
      informers_(informers),
      quotas_(informers.get(kResourceQuotas)),
      queue_(loop, "quota", kWorkers, [this](auto& key, auto finish) { work(key, std::move(finish)); }) {
  for (const ServedResource& served : resources) {
    if (!served.namespaced) continue;
    client::Informer& informer = informers.get(served.resource);
    counted_.emplace_back(served.resource, &informer);
    informer.on_change([this](const ObjectPtr& before, const ObjectPtr& after) { object_changed(before, after); });
  }
  quotas_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    (void)before;
    if (after) queue_.add(client::object_key(*after));
  });
}

void QuotaController::follow(CustomResources& custom) {
  custom.listen({[this](const ServedResource& served, client::Informer& informer) {
                   if (!served.namespaced) return;
                   counted_.emplace_back(served.resource, &informer);
                   informer.on_change([this, served](const ObjectPtr& before, const ObjectPtr& after) {
                     // Nothing but its being there counts.
                     if (!before || !after) add_quotas_of(served.resource, (after ? after : before)->ns());
                   });
                   informer.when_synced([this, served] { add_quotas_of(served.resource, {}); });
                 },
                 [this](const ServedResource& served, client::Informer&) { forget(served); }});
}

void QuotaController::forget(const ServedResource& resource) {
  std::erase_if(counted_, [&](const auto& counted) {
    return counted.first.group == resource.resource.group && counted.first.resource == resource.resource.resource;
  });
  add_quotas_of(resource.resource, {});
}

// Every namespace's, where none is named.
void QuotaController::add_quotas_of(const client::ResourceRef& resource, std::string_view ns) {
  if (quotas_.size() == 0) return;
  for (const ObjectPtr& quota : ns.empty() ? quotas_.list() : quotas_.list_namespace(ns)) {
    if (kinds::quota_limits(quota->document(), resource.group, resource.resource)) {
      queue_.add(client::object_key(*quota));
    }
  }
}

void QuotaController::start() {
  informers_.when_synced([this] { queue_.start(); });
}

void QuotaController::object_changed(const ObjectPtr& before, const ObjectPtr& after) {
  const object::Object& object = after ? *after : *before;
  // Most namespaces have no quota, and most changes are of status: of it only these count.
  auto same_status = [&](std::string_view name) { return before->status().at(name) == after->status().at(name); };
  bool same = before && after && before->spec() == after->spec() && same_status("phase") &&
              same_status("allocatedResources") && same_status("currentVolumeAttributesClassName") &&
              same_status("modifyVolumeStatus");
  if (same || quotas_.size() == 0) return;
  for (const ObjectPtr& quota : quotas_.list_namespace(object.ns())) queue_.add(client::object_key(*quota));
}

void QuotaController::work(const std::string& key, client::WorkQueue::Finish finish) {
  ObjectPtr quota = quotas_.get(key);
  if (!quota || quota->deleting()) return finish(client::Outcome::done());
  std::vector<CountedObjects> objects;
  for (const auto& [resource, informer] : counted_) {
    if (!kinds::quota_limits(quota->document(), resource.group, resource.resource)) continue;
    // It comes back when that is known; what was counted before holds until then.
    if (!informer->synced()) return finish(client::Outcome::done());
    objects.push_back({resource, informer->list_namespace(quota->ns())});
  }
  Value status = quota_status(*quota, objects);
  client::Plan plan;
  if (!(status == quota->status())) {
    Value document = quota->document();
    document.set("status", std::move(status));
    plan.steps.push_back({.request = update_request(kResourceQuotas, std::move(document), "status")});
  }
  client::apply_plan(transport_, events_, std::move(plan), std::move(finish));
}

}  // namespace stead::controllers
