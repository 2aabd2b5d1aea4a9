#include "node/eviction/storage_limits.h"

#include <fmt/format.h>

#include "kinds/semantics/pod_requests.h"
#include "object/quantity.h"

namespace stead::node {
namespace {

using object::Quantity;
using object::Value;

constexpr std::string_view kStorage = "ephemeral-storage";

StorageLimit limit_of(const Value& name, const Value& amount) {
  StorageLimit limit;
  auto parsed =
      amount.is_int() ? Result<Quantity>(Quantity::from_units(amount.as_int())) : Quantity::parse(amount.as_string());
  if (!parsed.ok() || parsed->value() <= 0) return limit;
  limit.name = name.as_string();
  limit.text = parsed->str();
  limit.bytes = static_cast<uint64_t>(parsed->value());
  return limit;
}

uint64_t amount(const std::map<std::string, uint64_t>& amounts, const std::string& name) {
  auto found = amounts.find(name);
  return found == amounts.end() ? 0 : found->second;
}

}  // namespace

StorageLimits read_storage_limits(const PodShape& shape) {
  StorageLimits limits;
  for (const Value& volume : shape.spec().at("volumes").items()) {
    const Value* source = volume.find("emptyDir");
    if (source == nullptr || source->at("medium").as_string() == "Memory") continue;
    limits.disk_volumes.emplace_back(volume.at("name").as_string());
    StorageLimit limit = limit_of(volume.at("name"), source->at("sizeLimit"));
    if (limit.bytes > 0) limits.volumes.push_back(std::move(limit));
  }
  for (const Value& container : shape.spec().at("containers").items()) {
    StorageLimit limit = limit_of(container.at("name"), container.at({"resources", "limits", kStorage}));
    if (limit.bytes > 0) limits.containers.push_back(std::move(limit));
  }
  int64_t total = kinds::pod_limits(shape.spec()).ephemeral_storage;
  if (total > 0) {
    limits.pod.bytes = static_cast<uint64_t>(total);
    bool one = limits.containers.size() == 1 && limits.containers[0].bytes == limits.pod.bytes;
    limits.pod.text = one ? limits.containers[0].text : Quantity::from_units(total).str();
  }
  return limits;
}

std::string storage_excess(const StorageLimits& limits, const StorageUse& use) {
  for (const StorageLimit& limit : limits.volumes) {
    if (amount(use.volumes, limit.name) <= limit.bytes) continue;
    return fmt::format("Usage of EmptyDir volume \"{}\" exceeds the limit \"{}\". ", limit.name, limit.text);
  }
  if (limits.pod.bytes > 0) {
    uint64_t total = 0;
    for (const auto* amounts : {&use.volumes, &use.logs, &use.layers}) {
      for (const auto& [name, bytes] : *amounts) total += bytes;
    }
    if (total > limits.pod.bytes) {
      return fmt::format("Pod ephemeral local storage usage exceeds the total limit of containers {}. ",
                         limits.pod.text);
    }
  }
  for (const StorageLimit& limit : limits.containers) {
    if (amount(use.logs, limit.name) + amount(use.layers, limit.name) <= limit.bytes) continue;
    return fmt::format("Container {} exceeded its local ephemeral storage limit \"{}\". ", limit.name, limit.text);
  }
  return {};
}

}  // namespace stead::node
