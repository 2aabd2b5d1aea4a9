#include "apiserver/quota/quota_ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "kinds/registry.h"

namespace stead::apiserver {
namespace {

using kinds::QuotaAmounts;
using object::ObjectPtr;
using object::Quantity;
using object::Value;

constexpr std::string_view kQuotas = "/resourcequotas";

template <class Visit>
void each_in_namespace(cache::Cache& cache, std::string_view resource, std::string_view ns, Visit visit) {
  std::string prefix = std::string(ns) + "/";
  cache.snapshot(resource).objects.visit_from(prefix, [&](const std::string& key, const ObjectPtr& object) {
    if (!key.starts_with(prefix)) return false;
    visit(*object);
    return true;
  });
}

void add(QuotaAmounts& sum, const QuotaAmounts& amounts, bool subtract = false) {
  for (const auto& [name, amount] : amounts) {
    auto [entry, fresh] = sum.emplace(name, Quantity());
    entry->second = subtract ? entry->second - amount : entry->second + amount;
  }
}

QuotaAmounts covered_usage(const Value& quota, std::string_view group, std::string_view resource,
                           const Value& document) {
  if (document.is_null() || !kinds::quota_covers(quota, group, resource, document)) return {};
  return kinds::quota_usage(group, resource, document);
}

std::string list_text(const std::vector<std::pair<std::string, Quantity>>& amounts) {
  std::string text;
  for (const auto& [name, amount] : amounts) text += (text.empty() ? "" : ",") + name + "=" + amount.str();
  return text;
}

Error forbidden(const Call& call, std::string_view name, const std::string& why) {
  Error error =
      make_error(Reason::kForbidden, fmt::format("{} \"{}\" is forbidden: {}", call.qualified_resource(), name, why));
  error.group = call.resource->group;
  error.kind = call.resource->name;
  error.name = name;
  return error;
}

bool is_pods(const Call& call) { return call.resource->group.empty() && call.resource->name == "pods"; }

// Empty if the quota has room for `more` on top of `used`.
std::string excess(const object::Object& quota, const QuotaAmounts& used, const QuotaAmounts& more) {
  std::vector<std::pair<std::string, Quantity>> requested, in_use, limited;
  for (const auto& [name, amount] : more) {
    const Value* hard = quota.spec().find({"hard", name});
    if (hard == nullptr || amount <= Quantity()) continue;
    auto limit = Quantity::parse(hard->as_string());
    if (!limit.ok()) continue;
    auto known = used.find(name);
    Quantity now = known == used.end() ? Quantity() : known->second;
    if (now + amount <= *limit) continue;
    requested.emplace_back(name, amount);
    in_use.emplace_back(name, now);
    limited.emplace_back(name, *limit);
  }
  if (requested.empty()) return {};
  return fmt::format("exceeded quota: {}, requested: {}, used: {}, limited: {}", quota.name(), list_text(requested),
                     list_text(in_use), list_text(limited));
}

}  // namespace

QuotaAmounts QuotaLedger::used(const object::Object& quota, std::string_view ns) const {
  QuotaAmounts sum;
  const Value& document = quota.document();
  auto count = [&](std::string_view group, std::string_view resource) {
    each_in_namespace(cache_, std::string(group) + "/" + std::string(resource), ns, [&](const object::Object& object) {
      add(sum, covered_usage(document, group, resource, object.document()));
    });
  };
  for (const kinds::Resource& resource : kinds::registry().resources()) {
    if (resource.namespaced && kinds::quota_limits(document, resource.group, resource.name)) {
      count(resource.group, resource.name);
    }
  }
  // Kinds that users declare.
  for (const auto& [group, resource] : kinds::quota_counts(document)) {
    if (kinds::registry().find(group, resource) == nullptr) count(group, resource);
  }
  for (const Pending& pending : pending_) {
    if (pending.ns != ns || !kinds::quota_limits(document, pending.group, pending.resource)) continue;
    std::string key = pending.ns + "/" + std::string(pending.document.at({"metadata", "name"}).as_string());
    ObjectPtr known = cache_.get(pending.group + "/" + pending.resource, key);
    bool same = known && known->uid() == pending.document.at({"metadata", "uid"}).as_string();
    // A new object that the cache has counts there already; a growth until its reservation ends, which is then too.
    if (pending.old.is_null() && same) continue;
    add(sum, covered_usage(document, pending.group, pending.resource, pending.document));
    add(sum, covered_usage(document, pending.group, pending.resource, pending.old), true);
  }
  return sum;
}

Result<QuotaLedger::ReservationPtr> QuotaLedger::charge(const Call& call, const Value& document, const Value* old) {
  const kinds::Resource& resource = *call.resource;
  if (!resource.namespaced || resource.name == "events") return ReservationPtr();
  bool concerned = false;
  std::string_view name = document.at({"metadata", "name"}).as_string();
  std::optional<Error> refusal;
  each_in_namespace(cache_, kQuotas, call.request.ns, [&](const object::Object& quota) {
    if (refusal || !kinds::quota_limits(quota.document(), resource.group, resource.name)) return;
    if (!kinds::quota_covers(quota.document(), resource.group, resource.name, document)) return;
    concerned = true;
    if (is_pods(call) && old == nullptr) {
      std::string omissions = kinds::quota_omissions(quota.document(), document);
      if (!omissions.empty()) {
        refusal = forbidden(call, name, fmt::format("failed quota: {}: must specify {}", quota.name(), omissions));
        return;
      }
    }
    QuotaAmounts more = covered_usage(quota.document(), resource.group, resource.name, document);
    if (old != nullptr) add(more, covered_usage(quota.document(), resource.group, resource.name, *old), true);
    bool grows = std::any_of(more.begin(), more.end(), [](const auto& one) { return one.second > Quantity(); });
    if (!grows) return;
    std::string why = excess(quota, used(quota, call.request.ns), more);
    if (!why.empty()) refusal = forbidden(call, name, why);
  });
  if (refusal) return *refusal;
  if (!concerned || call.request.dry_run) return ReservationPtr();
  pending_.push_front(
      {std::string(resource.group), std::string(resource.name), call.request.ns, document, old ? *old : Value()});
  return std::make_shared<Reservation>(*this, pending_.begin());
}

}  // namespace stead::apiserver
