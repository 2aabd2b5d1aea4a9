#include "kinds/core/env_validation.h"

#include <algorithm>

#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kEnvPaths[] = {
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
    "status.hostIP", "status.hostIPs",     "status.podIP", "status.podIPs"};
// All that the downward API knows; one place or another may not take some of them.
constexpr std::string_view kKnownPaths[] = {
    "metadata.annotations", "metadata.labels",         "metadata.name",      "metadata.namespace", "metadata.uid",
    "spec.nodeName",        "spec.serviceAccountName", "status.hostIP",      "status.hostIPs",     "status.podIP",
    "status.podIPs",        "spec.restartPolicy",      "spec.schedulerName", "status.phase",       "spec.host"};
constexpr std::string_view kResources[] = {"limits.cpu",   "limits.ephemeral-storage",   "limits.memory",
                                           "requests.cpu", "requests.ephemeral-storage", "requests.memory"};
constexpr std::string_view kDivisors[] = {"1",   "1k",  "1M",  "1G",  "1T",  "1P", "1E",
                                          "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"};

void check_divisor(const Path& path, std::string_view resource, const Value& divisor, FieldErrors& errors) {
  if (quantity_of(divisor).is_zero()) return;
  std::string what;
  if (resource.ends_with(".cpu")) {
    if (divisor.as_string() == "1" || divisor.as_string() == "1m") return;
    errors.invalid(path.child("divisor"), Value(resource),
                   "only divisor's values 1m and 1 are supported with the cpu resource");
    return;
  }
  if (resource.ends_with(".memory")) what = "memory";
  if (resource.ends_with(".ephemeral-storage")) what = "local ephemeral storage";
  if (resource.find(".hugepages-") != std::string_view::npos) what = "hugepages";
  if (what.empty() || contains(kDivisors, divisor.as_string())) return;
  errors.invalid(path.child("divisor"), Value(resource),
                 "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with "
                 "the " +
                     what + " resource");
}

void validate_key_ref(const Path& path, const Value& selector, FieldErrors& errors) {
  std::string_view name = selector.at("name").as_string();
  check(path.child("name"), Value(name), object::check_dns1123_subdomain(name), errors);
  const Value& key = selector.at("key");
  if (check_present(path.child("key"), key, errors)) {
    check(path.child("key"), key, object::check_config_map_key(key.as_string()), errors);
  }
}

void validate_file_key_ref(const Path& path, const Value& selector, FieldErrors& errors) {
  for (std::string_view name : {"volumeName", "path", "key"})
    check_present(path.child(name), selector.at(name), errors);
  check_descending_path(path.child("path"), selector.at("path"), errors);
}

void validate_value_from(const Path& path, const Value& variable, FieldErrors& errors) {
  const Value& from = variable.at("valueFrom");
  int sources = 0;
  if (const Value* field = from.find("fieldRef")) {
    ++sources;
    validate_field_ref(path.child("fieldRef"), *field, kEnvPaths, errors);
  }
  if (const Value* resource = from.find("resourceFieldRef")) {
    ++sources;
    validate_resource_field_ref(path.child("resourceFieldRef"), *resource, ResourceFieldPlace::kEnv, errors);
  }
  for (std::string_view name : {"configMapKeyRef", "secretKeyRef"}) {
    const Value* key = from.find(name);
    if (key == nullptr) continue;
    ++sources;
    validate_key_ref(path.child(name), *key, errors);
  }
  if (const Value* file = from.find("fileKeyRef")) {
    ++sources;
    validate_file_key_ref(path.child("fileKeyRef"), *file, errors);
  }
  if (sources == 0) {
    errors.invalid(path, Value(""),
                   "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`");
  } else if (!is_absent_or_empty(variable.at("value"))) {
    errors.invalid(path, Value(""), "may not be specified when `value` is not empty");
  } else if (sources > 1) {
    errors.invalid(path, Value(""), "may not have more than one field specified at a time");
  }
}

}  // namespace

void validate_env(const Path& path, const Value& variables, FieldErrors& errors) {
  for (size_t i = 0; i < variables.size(); ++i) {
    const Value& variable = variables.items()[i];
    Path at = path.index(i);
    const Value& name = variable.at("name");
    if (check_present(at.child("name"), name, errors)) {
      check(at.child("name"), name, object::check_env_var_name(name.as_string()), errors);
    }
    if (variable.find("valueFrom") != nullptr) validate_value_from(at.child("valueFrom"), variable, errors);
  }
}

void validate_env_from(const Path& path, const Value& sources, FieldErrors& errors) {
  for (size_t i = 0; i < sources.size(); ++i) {
    const Value& source = sources.items()[i];
    Path at = path.index(i);
    const Value& prefix = source.at("prefix");
    if (!is_absent_or_empty(prefix)) {
      check(at.child("prefix"), prefix, object::check_env_var_name(prefix.as_string()), errors);
    }
    int found = 0;
    for (std::string_view kind : {"configMapRef", "secretRef"}) {
      const Value* reference = source.find(kind);
      if (reference == nullptr) continue;
      ++found;
      Path reference_path = at.child(kind);
      const Value& name = reference->at("name");
      if (check_present(reference_path.child("name"), name, errors)) {
        check(reference_path.child("name"), name, object::check_dns1123_subdomain(name.as_string()), errors);
      }
    }
    if (found == 0) {
      errors.invalid(path, Value(""), "must specify one of: `configMapRef` or `secretRef`");
    } else if (found > 1) {
      errors.invalid(path, Value(""), "may not have more than one field specified at a time");
    }
  }
}

void validate_field_ref(const Path& path, const Value& selector, std::span<const std::string_view> supported,
                        FieldErrors& errors) {
  if (!check_present(path.child("apiVersion"), selector.at("apiVersion"), errors)) return;
  const Value& field_path = selector.at("fieldPath");
  if (!check_present(path.child("fieldPath"), field_path, errors)) return;
  std::string_view text = field_path.as_string();
  // metadata.labels['app.kubernetes.io/name']
  size_t bracket = text.find("['");
  bool subscripted = bracket != std::string_view::npos && text.ends_with("']");
  std::string_view base = subscripted ? text.substr(0, bracket) : text;
  if (!contains(kKnownPaths, base)) {
    errors.invalid(path.child("fieldPath"), field_path,
                   "error converting fieldPath: field label not supported: " + std::string(base));
    return;
  }
  if (subscripted) {
    std::string key(text.substr(bracket + 2, text.size() - bracket - 4));
    if (base == "metadata.annotations") {
      check(path, Value(lower(key)), object::check_qualified_name(lower(key)), errors);
    } else if (base == "metadata.labels") {
      check(path, Value(key), object::check_qualified_name(key), errors);
    } else {
      errors.invalid(path, Value(base), "does not support subscript");
    }
  } else if (!contains(supported, base)) {
    errors.not_supported(path.child("fieldPath"), field_path, supported);
  }
}

void validate_resource_field_ref(const Path& path, const Value& selector, ResourceFieldPlace place,
                                 FieldErrors& errors) {
  const Value& resource = selector.at("resource");
  std::string_view name = resource.as_string();
  if (place == ResourceFieldPlace::kVolume && is_absent_or_empty(selector.at("containerName"))) {
    errors.required(path.child("containerName"));
  } else if (name.empty()) {
    errors.required(path.child("resource"));
  } else if (!contains(kResources, name) && !name.starts_with("limits.hugepages-") &&
             !name.starts_with("requests.hugepages-")) {
    errors.not_supported(path.child("resource"), resource, kResources);
  }
  check_divisor(path, name, selector.at("divisor"), errors);
}

}  // namespace stead::kinds
