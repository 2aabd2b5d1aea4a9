#include <algorithm>
#include <set>
#include <string>

#include "kinds/discovery/discovery_rules.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr size_t kEndpointsMax = 1000;
constexpr size_t kAddressesMax = 100;
constexpr size_t kHintsMax = 8;
constexpr size_t kPortsMax = 20000;
constexpr size_t kShownMax = 3;

// Which zones or nodes should use an endpoint.
void validate_hints(const Path& path, const Value& hints, FieldErrors& errors) {
  if (hints.size() > kHintsMax) return errors.too_many(path, hints.size(), kHintsMax);
  std::set<std::string_view> seen;
  for (size_t i = 0; i < hints.size(); ++i) {
    Path at = path.index(i);
    Value name(hints.items()[i].at("name").as_string());
    if (!seen.insert(hints.items()[i].at("name").as_string()).second) errors.duplicate(at.child("name"), name);
    check(at.child("name"), name, object::check_label_value(name.as_string()), errors);
  }
}

void validate_endpoint(const Path& path, const Value& endpoint, std::string_view type, FieldErrors& errors) {
  Path addresses_path = path.child("addresses");
  auto addresses = endpoint.at("addresses").items();
  if (addresses.empty()) errors.required(addresses_path, "must contain at least 1 address");
  if (addresses.size() > kAddressesMax) errors.too_many(addresses_path, addresses.size(), kAddressesMax);
  for (size_t i = 0; i < addresses.size(); ++i) {
    std::string_view text = addresses[i].as_string();
    std::string problem = type == "FQDN" ? object::check_dns1123_subdomain(text) : object::check_ip(text);
    check(addresses_path.index(i), addresses[i], problem, errors);
    if (problem.empty() && type != "FQDN") check_not_special(addresses_path.index(i), addresses[i], errors);
    bool is_v6 = text.find(':') != std::string_view::npos;
    if (problem.empty() && ((type == "IPv4" && is_v6) || (type == "IPv6" && !is_v6))) {
      errors.invalid(addresses_path.index(i), addresses[i], "must be an " + std::string(type) + " address");
    }
  }
  if (const Value* node = endpoint.find("nodeName")) {
    check(path.child("nodeName"), *node, object::check_dns1123_subdomain(node->as_string()), errors);
  }
  if (const Value* hostname = endpoint.find("hostname")) {
    check(path.child("hostname"), *hostname, object::check_dns1123_label(hostname->as_string()), errors);
  }
  Path hints = path.child("hints");
  validate_hints(hints.child("forZones"), endpoint.at({"hints", "forZones"}), errors);
  validate_hints(hints.child("forNodes"), endpoint.at({"hints", "forNodes"}), errors);
}

void validate_ports(const Path& path, const Value& ports, FieldErrors& errors) {
  if (ports.size() > kPortsMax) {
    errors.too_many(path, ports.size(), kPortsMax);
    return;
  }
  std::set<std::string_view> names;
  for (size_t i = 0; i < ports.size(); ++i) {
    const Value& port = ports.items()[i];
    Path at = path.index(i);
    const Value& name = port.at("name");
    if (!is_absent_or_empty(name)) {
      check(at.child("name"), name, object::check_dns1123_label(name.as_string()), errors);
    }
    if (!names.insert(name.as_string()).second) errors.duplicate(at.child("name"), Value(name.as_string()));
    check_one_of(at.child("protocol"), port.at("protocol"), {"SCTP", "TCP", "UDP"}, errors);
    if (const Value* number = port.find("port")) check_port_number(at.child("port"), *number, errors);
    if (const Value* protocol = port.find("appProtocol")) {
      check(at.child("appProtocol"), *protocol, object::check_qualified_name(protocol->as_string()), errors);
    }
  }
}

void validate(const Value& slice, FieldErrors& errors) {
  const Value& type = slice.at("addressType");
  check_one_of(Path("addressType"), type, {"FQDN", "IPv4", "IPv6"}, errors);
  Path path("endpoints");
  auto endpoints = slice.at("endpoints").items();
  if (endpoints.size() > kEndpointsMax) {
    errors.too_many(path, endpoints.size(), kEndpointsMax);
  } else {
    for (size_t i = 0; i < endpoints.size(); ++i) {
      validate_endpoint(path.index(i), endpoints[i], type.as_string(), errors);
    }
  }
  validate_ports(Path("ports"), slice.at("ports"), errors);
}

void validate_update(const Value& slice, const Value& old, FieldErrors& errors) {
  check_unchanged(Path("addressType"), slice.at("addressType"), old.at("addressType"), errors);
}

std::string some(const std::vector<std::string>& texts) {
  if (texts.empty()) return "<unset>";
  std::string text;
  for (size_t i = 0; i < std::min(texts.size(), kShownMax); ++i) text += (i == 0 ? "" : ",") + texts[i];
  if (texts.size() > kShownMax) text += " + " + std::to_string(texts.size() - kShownMax) + " more...";
  return text;
}

std::vector<Value> cells(const Value& slice, WallTime now) {
  std::vector<std::string> ports;
  for (const Value& port : slice.at("ports").items()) {
    const Value* number = port.find("port");
    ports.push_back(number == nullptr ? text_or(port.at("name"), "*") : std::to_string(number->as_int()));
  }
  std::vector<std::string> addresses;
  for (const Value& endpoint : slice.at("endpoints").items()) {
    for (const Value& address : endpoint.at("addresses").items()) addresses.emplace_back(address.as_string());
  }
  return {name_of(slice), text_or(slice.at("addressType"), ""), some(ports), some(addresses), age(slice, now)};
}

}  // namespace

void set_endpoint_slice_defaults(Value& slice) {
  Value* ports = slice.find("ports");
  if (ports == nullptr) return;
  for (Value& port : ports->mutable_items()) {
    if (port.find("name") == nullptr) port.set("name", "");
    if (is_absent_or_empty(port.at("protocol"))) port.set("protocol", "TCP");
  }
}

KindRules endpoint_slice_rules() {
  KindRules made;
  made.rules = {.validate = validate, .validate_update = validate_update, .cells = cells};
  made.columns = {name_column(),
                  {"AddressType", "string", "", "What its addresses are."},
                  {"Ports", "string", "", "The first ports."},
                  {"Endpoints", "string", "", "The first addresses."},
                  age_column()};
  return made;
}

}  // namespace stead::kinds
