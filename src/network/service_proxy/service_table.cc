#include "network/service_proxy/service_table.h"

namespace stead::network::service_proxy {
namespace {

std::string key_of(const object::Object& object) { return std::string(object.ns()) + "/" + std::string(object.name()); }

}  // namespace

void ServiceTable::apply_service(const object::ObjectPtr& before, const object::ObjectPtr& after) {
  const std::string key = key_of(after ? *after : *before);
  touched_.insert(key);
  auto spec = after ? read_service(*after) : std::nullopt;
  if (spec) {
    services_[key].spec = std::move(*spec);
  } else {
    services_.erase(key);
  }
}

void ServiceTable::apply_endpoint_slice(const object::ObjectPtr& before, const object::ObjectPtr& after) {
  const std::string key = key_of(after ? *after : *before);
  if (auto found = slices_.find(key); found != slices_.end()) {
    auto siblings = slices_by_service_.find(found->second.service);
    siblings->second.erase(key);
    touched_.insert(siblings->first);
    if (siblings->second.empty()) slices_by_service_.erase(siblings);
    slices_.erase(found);
  }
  auto slice = after ? read_slice(*after) : std::nullopt;
  if (!slice) return;
  touched_.insert(slice->service);
  slices_by_service_[slice->service].insert(key);
  slices_.emplace(key, std::move(*slice));
}

std::vector<const SliceSpec*> ServiceTable::slices_of(const std::string& key) const {
  std::vector<const SliceSpec*> slices;
  auto found = slices_by_service_.find(key);
  if (found == slices_by_service_.end()) return slices;
  for (const std::string& slice : found->second) slices.push_back(&slices_.at(slice));
  return slices;
}

std::vector<Targets> ServiceTable::settle_targets(Service& service) const {
  const std::vector<const SliceSpec*> slices = slices_of(service.spec.key);
  std::map<std::string, Targets> slots;
  std::vector<Targets> in_order;
  for (const PortSpec& port : service.spec.ports) {
    const std::string name = port.protocol + "/" + port.name;
    Targets wanted = choose_targets(port, slices, options_.node_name);
    const Targets& before = service.slots[name];
    Targets& settled = slots[name];
    settled.cluster = assign_slots(before.cluster, wanted.cluster);
    settled.local = assign_slots(before.local, wanted.local);
    in_order.push_back(settled);
  }
  service.slots = std::move(slots);
  return in_order;
}

void ServiceTable::refresh(const std::string& key, UdpFronts& stale) {
  UdpFronts fronts;
  Pieces pieces;
  if (auto found = services_.find(key); found != services_.end()) {
    const std::vector<Targets> targets = settle_targets(found->second);
    pieces = service_pieces(found->second.spec, targets, options_.own_addresses);
    fronts = udp_fronts(found->second.spec, targets, options_.own_addresses);
  }
  rules_.put(key, std::move(pieces));
  UdpFronts& before = udp_[key];
  for (const auto& [front, targets] : before) {
    if (!fronts.contains(front)) stale[front] = {};
  }
  for (const auto& [front, targets] : fronts) {
    auto known = before.find(front);
    if (known == before.end() || known->second != targets) stale[front] = targets;
  }
  if (fronts.empty()) {
    udp_.erase(key);
  } else {
    before = std::move(fronts);
  }
}

Change ServiceTable::take_change() {
  Change change;
  for (const std::string& key : touched_) refresh(key, change.stale_flows);
  touched_.clear();
  change.commands = rules_.take_changes();
  return change;
}

void ServiceTable::forget() {
  rules_.forget();
  udp_.clear();
  for (const auto& [key, service] : services_) touched_.insert(key);
}

}  // namespace stead::network::service_proxy
