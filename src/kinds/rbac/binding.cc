// RoleBinding and ClusterRoleBinding.

#include "kinds/meta/cells.h"
#include "kinds/rbac/rbac_rules.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kRbacGroups[] = {kRbacGroup};
constexpr std::string_view kCoreGroups[] = {""};
constexpr std::string_view kSubjectKinds[] = {"ServiceAccount", "User", "Group"};

void validate_subject(const Path& path, const Value& subject, bool namespaced, FieldErrors& errors) {
  const Value& name = subject.at("name");
  std::string_view group = subject.at("apiGroup").as_string();
  if (is_absent_or_empty(name)) errors.required(path.child("name"));
  std::string_view kind = subject.at("kind").as_string();
  if (kind == "ServiceAccount") {
    if (!is_absent_or_empty(name)) {
      check(path.child("name"), name, object::check_dns1123_subdomain(name.as_string()), errors);
    }
    if (!group.empty()) errors.not_supported(path.child("apiGroup"), subject.at("apiGroup"), kCoreGroups);
    if (!namespaced && is_absent_or_empty(subject.at("namespace"))) errors.required(path.child("namespace"));
  } else if (kind == "User" || kind == "Group") {
    if (group != kRbacGroup) errors.not_supported(path.child("apiGroup"), Value(group), kRbacGroups);
  } else {
    errors.not_supported(path.child("kind"), Value(kind), kSubjectKinds);
  }
}

void validate_binding(const Value& binding, bool namespaced, FieldErrors& errors) {
  const Value& role = binding.at("roleRef");
  Path path("roleRef");
  std::string_view group = role.at("apiGroup").as_string();
  if (group != kRbacGroup) errors.not_supported(path.child("apiGroup"), Value(group), kRbacGroups);
  std::string_view kind = role.at("kind").as_string();
  static constexpr std::string_view kKinds[] = {"Role", "ClusterRole"};
  static constexpr std::string_view kClusterKinds[] = {"ClusterRole"};
  bool known = kind == "ClusterRole" || (namespaced && kind == "Role");
  if (!known && namespaced) errors.not_supported(path.child("kind"), Value(kind), kKinds);
  if (!known && !namespaced) errors.not_supported(path.child("kind"), Value(kind), kClusterKinds);
  const Value& name = role.at("name");
  if (is_absent_or_empty(name)) {
    errors.required(path.child("name"));
  } else {
    check(path.child("name"), name, object::check_path_segment(name.as_string()), errors);
  }
  Path subjects_path("subjects");
  auto subjects = binding.at("subjects").items();
  for (size_t i = 0; i < subjects.size(); ++i) {
    validate_subject(subjects_path.index(i), subjects[i], namespaced, errors);
  }
}

void validate_role_binding(const Value& binding, FieldErrors& errors) { validate_binding(binding, true, errors); }
void validate_cluster_role_binding(const Value& binding, FieldErrors& errors) {
  validate_binding(binding, false, errors);
}

void validate_update(const Value& binding, const Value& old, FieldErrors& errors) {
  if (binding.at("roleRef") == old.at("roleRef")) return;
  errors.invalid(Path("roleRef"), binding.at("roleRef"), "cannot change roleRef");
}

// The names of the subjects of one kind, as `kubectl get -o wide` lists them.
std::string names_of(const Value& binding, std::string_view kind) {
  std::string names;
  for (const Value& subject : binding.at("subjects").items()) {
    if (subject.at("kind").as_string() != kind) continue;
    if (!names.empty()) names += ", ";
    if (kind == "ServiceAccount") names.append(subject.at("namespace").as_string()).append("/");
    names += subject.at("name").as_string();
  }
  return names;
}

std::vector<Value> cells(const Value& binding, WallTime now) {
  std::string role(binding.at({"roleRef", "kind"}).as_string());
  role.append("/").append(binding.at({"roleRef", "name"}).as_string());
  return {name_of(binding),           role,
          age(binding, now),          names_of(binding, "User"),
          names_of(binding, "Group"), names_of(binding, "ServiceAccount")};
}

KindRules rules_with(void (*validate)(const Value&, FieldErrors&)) {
  KindRules made;
  made.rules = {.validate = validate, .validate_update = validate_update, .cells = cells};
  made.columns = {name_column(),
                  {"Role", "string", "", "The role that is given."},
                  age_column(),
                  {"Users", "string", "", "Users who get it.", 1},
                  {"Groups", "string", "", "Groups that get it.", 1},
                  {"ServiceAccounts", "string", "", "Service accounts that get it.", 1}};
  return made;
}

}  // namespace

void set_binding_defaults(Value& binding) {
  Value* subjects = binding.find("subjects");
  if (subjects == nullptr || !subjects->is_array()) return;
  for (Value& subject : subjects->mutable_items()) {
    if (!is_absent_or_empty(subject.at("apiGroup"))) continue;
    std::string_view kind = subject.at("kind").as_string();
    if (kind == "User" || kind == "Group") subject.set("apiGroup", Value::borrowed(kRbacGroup));
  }
}

KindRules role_binding_rules() { return rules_with(validate_role_binding); }
KindRules cluster_role_binding_rules() { return rules_with(validate_cluster_role_binding); }

}  // namespace stead::kinds
