#pragma once

// What Services and EndpointSlices say, kept in the form that names are answered from. Pure; one thread.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "object/object.h"

namespace stead::network::dns {

// An IP address as its 4 or 16 bytes; nullopt if `text` is none.
std::optional<std::string> address_bytes(std::string_view text);
std::string address_text(const std::string& bytes);

struct ServicePort {
  std::string name;      // lower case; may be empty
  std::string protocol;  // lower case: "tcp", "udp", "sctp"
  uint16_t port = 0;
  friend bool operator==(const ServicePort&, const ServicePort&) = default;
};

struct ServiceEntry {
  std::string ns;
  std::string name;
  bool headless = false;
  std::string external_name;             // type ExternalName
  std::vector<std::string> cluster_ips;  // bytes
  std::vector<ServicePort> ports;
};

// An endpoint that DNS shows: one whose ready condition is true or absent. (Where a Service publishes addresses that
// are not ready, its EndpointSlices say that they are.)
struct Endpoint {
  std::string name;     // hostname, else the address with dashes
  std::string address;  // bytes
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

struct SliceEntry {
  std::string service;  // "ns/name"
  std::vector<Endpoint> endpoints;
  std::vector<ServicePort> ports;
};

class ServiceRecords {
 public:
  // Either may be null: added, changed, deleted.
  void apply_service(const object::ObjectPtr& before, const object::ObjectPtr& after);
  void apply_endpoint_slice(const object::ObjectPtr& before, const object::ObjectPtr& after);

  // nullptr if unknown. `key`: "ns/name".
  const ServiceEntry* service(const std::string& key) const;
  std::vector<const SliceEntry*> slices_of(const std::string& key) const;
  bool has_namespace(const std::string& ns) const { return namespaces_.contains(ns); }
  // The service that has this cluster address; nullptr if none.
  const ServiceEntry* service_at(const std::string& address) const;
  // "hostname.service.ns" of each endpoint with this address, sorted.
  std::set<std::string> endpoint_names_at(const std::string& address) const;

 private:
  void remove_service(const std::string& key);
  void remove_slice(const std::string& key);

  std::map<std::string, ServiceEntry> services_;
  std::map<std::string, SliceEntry> slices_;
  std::map<std::string, std::set<std::string>> slices_by_service_;
  std::map<std::string, size_t> namespaces_;  // how many services each has
  std::map<std::string, std::string> service_by_address_;
  std::map<std::string, std::set<std::string>> slices_by_address_;
};

}  // namespace stead::network::dns
