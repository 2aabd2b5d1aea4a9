#include "kinds/core/core_rules.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "kinds/meta/metadata.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kNameLabel = "kubernetes.io/metadata.name";

void label_with_name(Value& ns) {
  const Value& name = ns.at({"metadata", "name"});
  if (!is_absent_or_empty(name)) ns.set({"metadata", "labels", kNameLabel}, Value(name));
}

void prepare_create(Value& ns) {
  label_with_name(ns);
  ns.set("status", Value::object({{"phase", "Active"}}));
  Value& finalizers = ns["spec"]["finalizers"];
  for (const Value& finalizer : finalizers.items()) {
    if (finalizer.as_string() == "kubernetes") return;
  }
  finalizers.append("kubernetes");
}

// Finalizers change through the `finalize` subresource only.
void prepare_update(Value& ns, const Value& old) {
  label_with_name(ns);
  const Value* finalizers = old.find({"spec", "finalizers"});
  if (finalizers != nullptr) {
    ns.set({"spec", "finalizers"}, *finalizers);
  } else {
    ns.erase({"spec", "finalizers"});
  }
}

void validate(const Value& ns, FieldErrors& errors) {
  Path spec("spec");
  check_finalizer_names(spec.child("finalizers"), ns.at({"spec", "finalizers"}), errors);
}

void validate_status_update(const Value& ns, const Value& old, FieldErrors& errors) {
  (void)old;
  std::string_view phase = ns.at({"status", "phase"}).as_string();
  bool deleting = ns.find({"metadata", "deletionTimestamp"}) != nullptr;
  Path status("status");
  // Upstream's path has this capital.
  Path path = status.child("Phase");
  if (!deleting && phase != "Active") {
    errors.invalid(path, Value(phase), "may only be 'Active' if `deletionTimestamp` is empty");
  }
  if (deleting && phase != "Terminating") {
    errors.invalid(path, Value(phase), "may only be 'Terminating' if `deletionTimestamp` is not empty");
  }
}

std::vector<Value> cells(const Value& ns, WallTime now) {
  return {name_of(ns), text_or(ns.at({"status", "phase"}), ""), age(ns, now)};
}

std::optional<std::string> field(const Value& ns, std::string_view path) {
  if (path == "status.phase") return std::string(ns.at({"status", "phase"}).as_string());
  return std::nullopt;
}

}  // namespace

void set_namespace_defaults(Value& ns) {
  if (ns.at({"metadata", "labels", kNameLabel}).is_null()) label_with_name(ns);
  if (ns.at({"status", "phase"}).is_null()) ns.set({"status", "phase"}, "Active");
}

KindRules namespace_rules() {
  KindRules made;
  made.rules = {.prepare_create = prepare_create,
                .prepare_update = prepare_update,
                .validate = validate,
                .validate_status_update = validate_status_update,
                .cells = cells,
                .field = field};
  made.columns = {name_column(), {"Status", "string", "", "Active, or Terminating while it is deleted."}, age_column()};
  made.selectable_fields = {"status.phase"};
  return made;
}

}  // namespace stead::kinds
