#include <algorithm>

#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "kinds/networking/networking_rules.h"
#include "kinds/networking/object_reference.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kClassAnnotation = "kubernetes.io/ingress.class";
constexpr size_t kHostsShown = 3;

bool is_address(std::string_view text) { return !text.empty() && object::check_ip(text).empty(); }

std::string check_wildcard_host(std::string_view host) {
  if (host.starts_with("*.") && object::check_dns1123_subdomain(host.substr(2)).empty()) return {};
  return "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
         "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. "
         "'*.example.com', regex used for validation is "
         "'\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
}

void validate_host(const Path& path, const Value& host, FieldErrors& errors) {
  std::string_view text = host.as_string();
  bool wildcard = text.find('*') != std::string_view::npos;
  check(path, host, wildcard ? check_wildcard_host(text) : object::check_dns1123_subdomain(text), errors);
}

void validate_service(const Path& backend_path, const Value& service, FieldErrors& errors) {
  Path path = backend_path.child("service");
  const Value& name = service.at("name");
  Path name_path = path.child("name");
  if (check_present(name_path, name, errors)) {
    check(name_path, name, object::check_dns1035_label(name.as_string()), errors);
  }
  const Value& port = service.at("port");
  bool named = !port.at("name").as_string().empty();
  bool numbered = port.at("number").as_int() != 0;
  Path port_path = path.child("port");
  if (named && numbered) {
    errors.invalid(backend_path, Value(""), "cannot set both port name & port number");
  } else if (named) {
    check(port_path.child("name"), port.at("name"), object::check_port_name(port.at("name").as_string()), errors);
  } else if (numbered) {
    check_port_number(port_path.child("number"), port.at("number"), errors);
  } else {
    errors.required(backend_path, "port name or number is required");
  }
}

void validate_backend(const Path& path, const Value& backend, FieldErrors& errors) {
  const Value* service = backend.find("service");
  const Value* resource = backend.find("resource");
  if (service != nullptr && resource != nullptr) {
    errors.invalid(path, Value(""), "cannot set both resource and service backends");
  } else if (resource != nullptr) {
    validate_object_reference(path.child("resource"), *resource, errors);
  } else if (service != nullptr) {
    validate_service(path, *service, errors);
  } else {
    errors.invalid(path, Value(""), "resource or service backend is required");
  }
}

void validate_literal_path(const Path& path, const Value& value, FieldErrors& errors) {
  std::string_view text = value.as_string();
  if (!text.starts_with('/')) errors.invalid(path, value, "must be an absolute path");
  for (std::string_view sequence : {"//", "/./", "/../", "%2f", "%2F"}) {
    if (text.find(sequence) == std::string_view::npos) continue;
    errors.invalid(path, value, "must not contain '" + std::string(sequence) + "'");
  }
  for (std::string_view suffix : {"/..", "/."}) {
    if (text.ends_with(suffix)) errors.invalid(path, value, "cannot end with '" + std::string(suffix) + "'");
  }
}

void validate_http_path(const Path& path, const Value& entry, FieldErrors& errors) {
  const Value& type = entry.at("pathType");
  Path type_path = path.child("pathType");
  Path text_path = path.child("path");
  const Value& text = entry.at("path");
  if (is_absent_or_empty(type)) return errors.required(type_path, "pathType must be specified");
  std::string_view kind = type.as_string();
  if (kind == "Exact" || kind == "Prefix") {
    validate_literal_path(text_path, text, errors);
  } else if (kind != "ImplementationSpecific") {
    std::string_view supported[] = {"Exact", "ImplementationSpecific", "Prefix"};
    errors.not_supported(type_path, type, supported);
  } else if (!is_absent_or_empty(text) && !text.as_string().starts_with('/')) {
    errors.invalid(text_path, text, "must be an absolute path");
  }
  validate_backend(path.child("backend"), entry.at("backend"), errors);
}

void validate_rule(const Path& path, const Value& rule, FieldErrors& errors) {
  const Value& host = rule.at("host");
  Path host_path = path.child("host");
  if (!is_absent_or_empty(host)) {
    if (is_address(host.as_string())) errors.invalid(host_path, host, "must be a DNS name, not an IP address");
    validate_host(host_path, host, errors);
  }
  const Value* http = rule.find("http");
  if (http == nullptr) return;
  Path http_path = path.child("http");
  Path paths = http_path.child("paths");
  auto entries = http->at("paths").items();
  if (entries.empty()) errors.required(paths);
  for (size_t i = 0; i < entries.size(); ++i) validate_http_path(paths.index(i), entries[i], errors);
}

void validate_tls(const Path& path, const Value& tls, FieldErrors& errors) {
  for (size_t i = 0; i < tls.size(); ++i) {
    const Value& entry = tls.items()[i];
    Path at = path.index(i);
    Path hosts = at.child("hosts");
    for (size_t j = 0; j < entry.at("hosts").size(); ++j) {
      validate_host(hosts.index(j), entry.at("hosts").items()[j], errors);
    }
    const Value& secret = entry.at("secretName");
    if (!is_absent_or_empty(secret)) {
      check(at.child("secretName"), secret, object::check_dns1123_subdomain(secret.as_string()), errors);
    }
  }
}

void prepare_create(Value& ingress) { ingress.set({"status", "loadBalancer"}, Value::object()); }

void validate(const Value& ingress, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = ingress.at("spec");
  const Value* fallback = spec.find("defaultBackend");
  auto rules = spec.at("rules").items();
  Path rules_path = path.child("rules");
  if (rules.empty() && fallback == nullptr) {
    errors.invalid(path, Value::array(), "either `defaultBackend` or `rules` must be specified");
  }
  if (fallback != nullptr) validate_backend(path.child("defaultBackend"), *fallback, errors);
  for (size_t i = 0; i < rules.size(); ++i) validate_rule(rules_path.index(i), rules[i], errors);
  validate_tls(path.child("tls"), spec.at("tls"), errors);
  const Value& name = spec.at("ingressClassName");
  if (!name.is_null()) {
    check(path.child("ingressClassName"), name, object::check_dns1123_subdomain(name.as_string()), errors);
  }
  // What was stored so before stays as it is.
  if (ingress.find({"metadata", "resourceVersion"}) != nullptr) return;
  const Value& annotation = ingress.at({"metadata", "annotations", kClassAnnotation});
  if (annotation.is_string() && !name.is_null() && annotation.as_string() != name.as_string()) {
    errors.invalid(Path("annotations").child(kClassAnnotation), annotation,
                   "must match `ingressClassName` when both are specified");
  }
}

void validate_status_update(const Value& ingress, const Value& old, FieldErrors& errors) {
  (void)old;
  Path status("status");
  Path balancer = status.child("loadBalancer");
  Path path = balancer.child("ingress");
  auto entries = ingress.at({"status", "loadBalancer", "ingress"}).items();
  for (size_t i = 0; i < entries.size(); ++i) {
    Path at = path.index(i);
    const Value& address = entries[i].at("ip");
    if (!is_absent_or_empty(address)) {
      check(at.child("ip"), address, object::check_ip(address.as_string()), errors);
    }
    const Value& host = entries[i].at("hostname");
    if (is_absent_or_empty(host)) continue;
    check(at.child("hostname"), host, object::check_dns1123_subdomain(host.as_string()), errors);
    if (is_address(host.as_string())) {
      errors.invalid(at.child("hostname"), host, "must be a DNS name, not an IP address");
    }
  }
}

void warn(const Value& ingress, const Value* old, std::vector<std::string>& warnings) {
  if (old != nullptr || ingress.find({"spec", "ingressClassName"}) != nullptr) return;
  if (ingress.find({"metadata", "annotations", kClassAnnotation}) == nullptr) return;
  warnings.push_back("annotation \"" + std::string(kClassAnnotation) +
                     "\" is deprecated, please use 'spec.ingressClassName' instead");
}

std::string hosts_text(const Value& rules) {
  std::string text;
  size_t shown = 0;
  bool more = false;
  for (const Value& rule : rules.items()) {
    if (shown == kHostsShown) {
      more = true;
      break;
    }
    std::string_view host = rule.at("host").as_string();
    if (host.empty()) continue;
    text.append(shown++ == 0 ? "" : ",").append(host);
  }
  if (shown == 0) return "*";
  if (more) text += " + " + std::to_string(rules.size() - kHostsShown) + " more...";
  return text;
}

std::string addresses_text(const Value& status) {
  std::vector<std::string> addresses;
  for (const Value& entry : status.at({"loadBalancer", "ingress"}).items()) {
    addresses.push_back(text_or(entry.at("ip"), entry.at("hostname").as_string()));
  }
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  std::string text;
  for (const std::string& address : addresses) text += (text.empty() ? "" : ",") + address;
  return text;
}

std::vector<Value> cells(const Value& ingress, WallTime now) {
  const Value& spec = ingress.at("spec");
  return {name_of(ingress),
          text_or(spec.at("ingressClassName"), kNone),
          hosts_text(spec.at("rules")),
          addresses_text(ingress.at("status")),
          spec.at("tls").empty() ? "80" : "80, 443",
          age(ingress, now)};
}

}  // namespace

KindRules ingress_rules() {
  KindRules made;
  made.rules = {.prepare_create = prepare_create,
                .validate = validate,
                .validate_status_update = validate_status_update,
                .warn = warn,
                .cells = cells};
  made.columns = {name_column(),
                  {"Class", "string", "", "The ingress class, which says who serves it."},
                  {"Hosts", "string", "", "Hosts that its rules are for."},
                  {"Address", "string", "", "Addresses at which it is reached."},
                  {"Ports", "string", "", "Ports at which it is reached."},
                  age_column()};
  return made;
}

}  // namespace stead::kinds
