// Ingress between v1beta1 and v1.

#include <utility>

#include "kinds/networking/networking_rules.h"

namespace stead::kinds {
namespace {

using Convert = void (*)(Value& backend);

void service_from_v1beta1(Value& backend) {
  Value name = backend.at("serviceName");
  Value port = backend.at("servicePort");
  backend.erase("serviceName");
  backend.erase("servicePort");
  bool port_given = port.is_string() ? !port.as_string().empty() : port.as_int() != 0;
  if (name.as_string().empty() && !port_given) return;
  Value made_port = Value::object();
  if (port_given) made_port.set(port.is_string() ? "name" : "number", port);
  backend.set("service", Value::object({{"name", std::move(name)}, {"port", std::move(made_port)}}));
}

void service_to_v1beta1(Value& backend) {
  const Value* service = backend.find("service");
  if (service == nullptr) return;
  Value name = service->at("name");
  const Value& port = service->at("port");
  Value made_port = port.at("name").as_string().empty() ? port.at("number") : port.at("name");
  backend.erase("service");
  backend.set("serviceName", std::move(name));
  backend.set("servicePort", made_port.is_null() ? Value(0) : std::move(made_port));
}

void convert_rules(Value& spec, Convert convert) {
  Value* rules = spec.find("rules");
  if (rules == nullptr || !rules->is_array()) return;
  for (Value& rule : rules->mutable_items()) {
    Value* http = rule.find("http");
    Value* paths = http == nullptr ? nullptr : http->find("paths");
    if (paths == nullptr || !paths->is_array()) continue;
    for (Value& path : paths->mutable_items()) {
      if (Value* backend = path.find("backend")) convert(*backend);
    }
  }
}

void convert_default(Value& spec, std::string_view from, std::string_view to, Convert convert) {
  Value* found = spec.find(from);
  if (found == nullptr) return;
  Value backend = std::move(*found);
  spec.erase(from);
  convert(backend);
  spec.set(to, std::move(backend));
}

}  // namespace

void ingress_from_v1beta1(Value& ingress) {
  Value* spec = ingress.find("spec");
  if (spec == nullptr) return;
  convert_default(*spec, "backend", "defaultBackend", service_from_v1beta1);
  convert_rules(*spec, service_from_v1beta1);
}

void ingress_to_v1beta1(Value& ingress) {
  Value* spec = ingress.find("spec");
  if (spec == nullptr) return;
  convert_default(*spec, "defaultBackend", "backend", service_to_v1beta1);
  convert_rules(*spec, service_to_v1beta1);
}

}  // namespace stead::kinds
