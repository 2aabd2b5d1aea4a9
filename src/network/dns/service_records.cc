#include "network/dns/service_records.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>

namespace stead::network::dns {
namespace {

using object::Object;
using object::Value;

constexpr std::string_view kServiceNameLabel = "kubernetes.io/service-name";

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lowered;
}

std::string key_of(const Object& object) { return std::string(object.ns()) + "/" + std::string(object.name()); }

std::vector<ServicePort> ports_of(const Value& list) {
  std::vector<ServicePort> ports;
  for (const Value& item : list.items()) {
    if (!item.at("port").is_int()) continue;  // a slice's port may be absent: all ports
    std::string_view protocol = item.at("protocol").as_string();
    ports.push_back({lower(item.at("name").as_string()), lower(protocol.empty() ? "TCP" : protocol),
                     static_cast<uint16_t>(item.at("port").as_int())});
  }
  return ports;
}

ServiceEntry service_of(const Object& object) {
  ServiceEntry entry;
  entry.ns = object.ns();
  entry.name = object.name();
  const Value& spec = object.spec();
  if (spec.at("type").as_string() == "ExternalName") {
    entry.external_name = lower(spec.at("externalName").as_string());
    while (entry.external_name.ends_with('.')) entry.external_name.pop_back();
    return entry;
  }
  std::string_view first = spec.at("clusterIP").as_string();
  entry.headless = first == "None";
  entry.ports = ports_of(spec.at("ports"));
  for (const Value& address : spec.at("clusterIPs").items()) {
    if (address.as_string() == "None") entry.headless = true;
    if (auto bytes = address_bytes(address.as_string())) entry.cluster_ips.push_back(std::move(*bytes));
  }
  if (auto bytes = address_bytes(first); bytes && entry.cluster_ips.empty()) entry.cluster_ips.push_back(*bytes);
  return entry;
}

std::string endpoint_name(const Value& endpoint, std::string_view address) {
  std::string_view hostname = endpoint.at("hostname").as_string();
  if (!hostname.empty()) return lower(hostname);
  std::string name = lower(address);
  std::replace(name.begin(), name.end(), address.find(':') == std::string_view::npos ? '.' : ':', '-');
  return name;
}

SliceEntry slice_of(const Object& object) {
  SliceEntry entry;
  entry.service =
      std::string(object.ns()) + "/" + std::string(object.metadata().at({"labels", kServiceNameLabel}).as_string());
  const Value& document = object.document();
  entry.ports = ports_of(document.at("ports"));
  for (const Value& endpoint : document.at("endpoints").items()) {
    if (!endpoint.at({"conditions", "ready"}).as_bool(true)) continue;
    for (const Value& address : endpoint.at("addresses").items()) {
      auto bytes = address_bytes(address.as_string());
      if (!bytes) continue;  // address type FQDN has no records
      entry.endpoints.push_back({endpoint_name(endpoint, address.as_string()), std::move(*bytes)});
    }
  }
  return entry;
}

void erase_from(std::map<std::string, std::set<std::string>>& sets, const std::string& key, const std::string& item) {
  auto found = sets.find(key);
  if (found == sets.end()) return;
  found->second.erase(item);
  if (found->second.empty()) sets.erase(found);
}

}  // namespace

std::optional<std::string> address_bytes(std::string_view text) {
  char bytes[16];
  std::string terminated(text);
  if (inet_pton(AF_INET, terminated.c_str(), bytes) == 1) return std::string(bytes, 4);
  if (inet_pton(AF_INET6, terminated.c_str(), bytes) == 1) return std::string(bytes, 16);
  return std::nullopt;
}

std::string address_text(const std::string& bytes) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof(text));
  return text;
}

void ServiceRecords::remove_service(const std::string& key) {
  auto found = services_.find(key);
  if (found == services_.end()) return;
  for (const std::string& address : found->second.cluster_ips) {
    auto holder = service_by_address_.find(address);
    if (holder != service_by_address_.end() && holder->second == key) service_by_address_.erase(holder);
  }
  auto ns = namespaces_.find(found->second.ns);
  if (--ns->second == 0) namespaces_.erase(ns);
  services_.erase(found);
}

void ServiceRecords::apply_service(const object::ObjectPtr& before, const object::ObjectPtr& after) {
  if (before) remove_service(key_of(*before));
  if (!after) return;
  std::string key = key_of(*after);
  remove_service(key);
  ServiceEntry entry = service_of(*after);
  ++namespaces_[entry.ns];
  for (const std::string& address : entry.cluster_ips) service_by_address_[address] = key;
  services_.emplace(std::move(key), std::move(entry));
}

void ServiceRecords::remove_slice(const std::string& key) {
  auto found = slices_.find(key);
  if (found == slices_.end()) return;
  erase_from(slices_by_service_, found->second.service, key);
  for (const Endpoint& endpoint : found->second.endpoints) erase_from(slices_by_address_, endpoint.address, key);
  slices_.erase(found);
}

void ServiceRecords::apply_endpoint_slice(const object::ObjectPtr& before, const object::ObjectPtr& after) {
  if (before) remove_slice(key_of(*before));
  if (!after) return;
  std::string key = key_of(*after);
  remove_slice(key);
  SliceEntry entry = slice_of(*after);
  slices_by_service_[entry.service].insert(key);
  for (const Endpoint& endpoint : entry.endpoints) slices_by_address_[endpoint.address].insert(key);
  slices_.emplace(std::move(key), std::move(entry));
}

const ServiceEntry* ServiceRecords::service(const std::string& key) const {
  auto found = services_.find(key);
  return found == services_.end() ? nullptr : &found->second;
}

std::vector<const SliceEntry*> ServiceRecords::slices_of(const std::string& key) const {
  std::vector<const SliceEntry*> slices;
  auto found = slices_by_service_.find(key);
  if (found == slices_by_service_.end()) return slices;
  for (const std::string& slice : found->second) slices.push_back(&slices_.at(slice));
  return slices;
}

const ServiceEntry* ServiceRecords::service_at(const std::string& address) const {
  auto found = service_by_address_.find(address);
  return found == service_by_address_.end() ? nullptr : service(found->second);
}

std::set<std::string> ServiceRecords::endpoint_names_at(const std::string& address) const {
  std::set<std::string> names;
  auto found = slices_by_address_.find(address);
  if (found == slices_by_address_.end()) return names;
  for (const std::string& key : found->second) {
    const SliceEntry& slice = slices_.at(key);
    const ServiceEntry* owner = service(slice.service);
    if (!owner) continue;
    for (const Endpoint& endpoint : slice.endpoints) {
      if (endpoint.address == address) names.insert(endpoint.name + "." + owner->name + "." + owner->ns);
    }
  }
  return names;
}

}  // namespace stead::network::dns
