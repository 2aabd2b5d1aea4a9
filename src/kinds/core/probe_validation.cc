#include "kinds/core/probe_validation.h"

#include <algorithm>
#include <cctype>

namespace stead::kinds {
namespace {

bool is_header_name(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) || c == '-'; });
}

void validate_http_get(const Path& path, const Value& http, FieldErrors& errors) {
  check_present(path.child("path"), http.at("path"), errors);
  check_port(path.child("port"), http.at("port"), errors);
  check_one_of(path.child("scheme"), http.at("scheme"), {"HTTP", "HTTPS"}, errors);
  for (const Value& header : http.at("httpHeaders").items()) {
    const Value& name = header.at("name");
    if (is_header_name(name.as_string())) continue;
    errors.invalid(path.child("httpHeaders"), name,
                   "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex "
                   "used for validation is '[-A-Za-z0-9]+')");
  }
}

void validate_one(const Path& path, std::string_view kind, const Value& handler, const Value& grace_period,
                  FieldErrors& errors) {
  if (kind == "exec") {
    check_present(path.child("command"), handler.at("command"), errors);
  } else if (kind == "httpGet") {
    validate_http_get(path, handler, errors);
  } else if (kind == "sleep") {
    int64_t seconds = handler.at("seconds").as_int();
    if (grace_period.is_int() && (seconds < 0 || seconds > grace_period.as_int())) {
      errors.invalid(path, Value(seconds),
                     "must be non-negative and less than terminationGracePeriodSeconds (" +
                         std::to_string(grace_period.as_int()) + ")");
    }
  } else {  // tcpSocket, grpc
    check_port(path.child("port"), handler.at("port"), errors);
  }
}

void validate_handler(const Path& path, const Value& action, std::initializer_list<std::string_view> kinds,
                      const Value& grace_period, FieldErrors& errors) {
  int found = 0;
  for (std::string_view kind : kinds) {
    const Value* handler = action.find(kind);
    if (handler == nullptr) continue;
    Path handler_path = path.child(kind);
    if (found++ > 0) {
      errors.forbidden(handler_path, "may not specify more than 1 handler type");
    } else {
      validate_one(handler_path, kind, *handler, grace_period, errors);
    }
  }
  if (found == 0) errors.required(path, "must specify a handler type");
}

void validate_probe(const Path& path, const Value& probe, const Value& grace_period, FieldErrors& errors) {
  validate_handler(path, probe, {"exec", "httpGet", "tcpSocket", "grpc"}, grace_period, errors);
  for (std::string_view name :
       {"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"}) {
    check_not_negative(path.child(name), probe.at(name), errors);
  }
  const Value* own = probe.find("terminationGracePeriodSeconds");
  if (own != nullptr && own->as_int() <= 0) {
    errors.invalid(path.child("terminationGracePeriodSeconds"), *own, "must be greater than 0");
  }
}

}  // namespace

void validate_probes(const Path& path, const Value& container, const Value& grace_period, FieldErrors& errors) {
  for (std::string_view name : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    const Value* probe = container.find(name);
    if (probe == nullptr) continue;
    Path probe_path = path.child(name);
    validate_probe(probe_path, *probe, grace_period, errors);
    if (name == "readinessProbe") {
      if (const Value* own = probe->find("terminationGracePeriodSeconds")) {
        errors.invalid(probe_path.child("terminationGracePeriodSeconds"), *own, "must not be set for readinessProbes");
      }
    } else if (probe->at("successThreshold").as_int() != 1) {
      errors.invalid(probe_path.child("successThreshold"), Value(probe->at("successThreshold").as_int()), "must be 1");
    }
  }
}

void validate_lifecycle(const Path& path, const Value& lifecycle, const Value& grace_period, FieldErrors& errors) {
  for (std::string_view name : {"postStart", "preStop"}) {
    const Value* hook = lifecycle.find(name);
    if (hook == nullptr) continue;
    validate_handler(path.child(name), *hook, {"exec", "httpGet", "tcpSocket", "sleep"}, grace_period, errors);
  }
}

}  // namespace stead::kinds
