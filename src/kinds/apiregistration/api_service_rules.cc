#include "kinds/apiregistration/api_service_rules.h"

#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "kinds/meta/conditions.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

void prepare_create(Value& service) { service.erase("status"); }

void check_priority(const Path& path, const Value& value, int64_t most, std::string_view problem, FieldErrors& errors) {
  if (value.as_int() < 1 || value.as_int() > most) errors.invalid(path, Value(value.as_int()), problem);
}

void check_local(const Value& spec, const Path& path, FieldErrors& errors) {
  if (!spec.at("caBundle").as_string().empty()) {
    errors.invalid(path.child("caBundle"), "...", "local APIServices may not have a caBundle");
  }
  if (spec.at("insecureSkipTLSVerify").as_bool()) {
    errors.invalid(path.child("insecureSkipTLSVerify"), true, "local APIServices may not have insecureSkipTLSVerify");
  }
}

void check_remote(const Value& spec, const Path& path, FieldErrors& errors) {
  const Value& service = spec.at("service");
  const Path at = path.child("service");
  check_present(at.child("namespace"), service.at("namespace"), errors);
  check_present(at.child("name"), service.at("name"), errors);
  if (!service.at("port").is_null()) check_port_number(at.child("port"), service.at("port"), errors);
  const bool unchecked = spec.at("insecureSkipTLSVerify").as_bool();
  if (unchecked && !spec.at("caBundle").as_string().empty()) {
    errors.invalid(path.child("insecureSkipTLSVerify"), true, "may not be true if caBundle is present");
  }
}

void validate(const Value& document, FieldErrors& errors) {
  const Value& spec = document.at("spec");
  const Path path("spec");
  const Path metadata("metadata");
  std::string_view group = spec.at("group").as_string();
  std::string_view version = spec.at("version").as_string();
  const std::string wanted = std::string(version) + "." + std::string(group);
  const Value& name = document.at({"metadata", "name"});
  if (name.as_string() != wanted) {
    errors.invalid(metadata.child("name"), name, "must be `spec.version+\".\"+spec.group`: \"" + wanted + "\"");
  }
  if (group.empty()) {
    if (version != "v1") {
      errors.required(path.child("group"), "only v1 may have an empty group and it better be legacy kube");
    }
  } else {
    check(path.child("group"), spec.at("group"), object::check_format("dns1123Subdomain", group), errors);
  }
  if (check_present(path.child("version"), spec.at("version"), errors)) {
    check(path.child("version"), spec.at("version"), object::check_format("dns1035Label", version), errors);
  }
  check_priority(path.child("groupPriorityMinimum"), spec.at("groupPriorityMinimum"), 20'000,
                 "must be positive and less than 20000", errors);
  check_priority(path.child("versionPriority"), spec.at("versionPriority"), 1'000,
                 "must be positive and less than 1000", errors);
  if (spec.find("service") == nullptr) {
    check_local(spec, path, errors);
  } else {
    check_remote(spec, path, errors);
  }
}

std::string available_text(const Value& document) {
  const Value* available = find_condition(document.at("status"), "Available");
  if (available == nullptr) return "Unknown";
  std::string text(available->at("status").as_string());
  if (text != "True") text += " (" + std::string(available->at("reason").as_string()) + ")";
  return text;
}

std::vector<Value> cells(const Value& document, WallTime now) {
  const Value* service = document.find({"spec", "service"});
  std::string where = service == nullptr ? "Local"
                                         : std::string(service->at("namespace").as_string()) + "/" +
                                               std::string(service->at("name").as_string());
  return {name_of(document), Value(where), Value(available_text(document)), Value(age(document, now))};
}

}  // namespace

KindRules api_service_rules() {
  KindRules made;
  made.rules = {.prepare_create = prepare_create, .validate = validate, .cells = cells};
  made.columns = {name_column(),
                  {"Service", "string", "", "The service that answers, or Local."},
                  {"Available", "string", "", "Whether the service can be used."},
                  age_column()};
  return made;
}

}  // namespace stead::kinds
