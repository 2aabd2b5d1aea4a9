#include <algorithm>
#include <string>

#include "kinds/core/core_rules.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr size_t kShownMax = 3;

void validate_address(const Path& path, const Value& address, FieldErrors& errors) {
  std::string_view ip = address.at("ip").as_string();
  check(path.child("ip"), Value(ip), object::check_ip(ip), errors);
  const Value& hostname = address.at("hostname");
  if (!is_absent_or_empty(hostname)) {
    check(path.child("hostname"), hostname, object::check_dns1123_label(hostname.as_string()), errors);
  }
  if (const Value* node = address.find("nodeName")) {
    check(path.child("nodeName"), *node, object::check_dns1123_subdomain(node->as_string()), errors);
  }
  check_not_special(path.child("ip"), Value(ip), errors);
}

void validate_port(const Path& path, const Value& port, bool name_needed, FieldErrors& errors) {
  const Value& name = port.at("name");
  if (!is_absent_or_empty(name)) {
    check(path.child("name"), name, object::check_dns1123_label(name.as_string()), errors);
  } else if (name_needed) {
    errors.required(path.child("name"));
  }
  check_port_number(path.child("port"), port.at("port"), errors);
  check_one_of(path.child("protocol"), port.at("protocol"), {"SCTP", "TCP", "UDP"}, errors);
  if (const Value* protocol = port.find("appProtocol")) {
    check(path.child("appProtocol"), *protocol, object::check_qualified_name(protocol->as_string()), errors);
  }
}

void validate(const Value& endpoints, FieldErrors& errors) {
  Path path("subsets");
  auto subsets = endpoints.at("subsets").items();
  for (size_t i = 0; i < subsets.size(); ++i) {
    const Value& subset = subsets[i];
    Path at = path.index(i);
    if (subset.at("addresses").empty() && subset.at("notReadyAddresses").empty()) {
      errors.required(at, "must specify `addresses` or `notReadyAddresses`");
    }
    for (std::string_view list : {"addresses", "notReadyAddresses"}) {
      Path list_path = at.child(list);
      auto addresses = subset.at(list).items();
      for (size_t j = 0; j < addresses.size(); ++j) validate_address(list_path.index(j), addresses[j], errors);
    }
    Path ports_path = at.child("ports");
    auto ports = subset.at("ports").items();
    for (size_t j = 0; j < ports.size(); ++j) validate_port(ports_path.index(j), ports[j], ports.size() > 1, errors);
  }
}

// "10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more..."
std::string endpoints_text(const Value& endpoints) {
  std::string text;
  size_t count = 0;
  auto show = [&](const std::string& place) {
    if (count++ >= kShownMax) return;
    text += (text.empty() ? "" : ",") + place;
  };
  for (const Value& subset : endpoints.at("subsets").items()) {
    for (const Value& address : subset.at("addresses").items()) {
      if (subset.at("ports").empty()) show(std::string(address.at("ip").as_string()));
    }
    for (const Value& port : subset.at("ports").items()) {
      for (const Value& address : subset.at("addresses").items()) {
        std::string ip(address.at("ip").as_string());
        if (ip.find(':') != std::string::npos) ip = "[" + ip + "]";
        show(ip + ":" + std::to_string(port.at("port").as_int()));
      }
    }
  }
  if (count == 0) return std::string(kNone);
  if (count > kShownMax) text += " + " + std::to_string(count - kShownMax) + " more...";
  return text;
}

std::vector<Value> cells(const Value& endpoints, WallTime now) {
  return {name_of(endpoints), endpoints_text(endpoints), age(endpoints, now)};
}

}  // namespace

void set_endpoints_defaults(Value& endpoints) {
  Value* subsets = endpoints.find("subsets");
  if (subsets == nullptr) return;
  for (Value& subset : subsets->mutable_items()) {
    Value* ports = subset.find("ports");
    if (ports == nullptr) continue;
    for (Value& port : ports->mutable_items()) {
      if (is_absent_or_empty(port.at("protocol"))) port.set("protocol", "TCP");
    }
  }
}

KindRules endpoints_rules() {
  KindRules made;
  made.rules = {.validate = validate, .cells = cells};
  made.columns = {name_column(), {"Endpoints", "string", "", "The first addresses and ports."}, age_column()};
  return made;
}

}  // namespace stead::kinds
