#include "apiserver/authorization/rbac_index.h"

#include <fmt/format.h>

#include "object/quote.h"

namespace stead::apiserver {
namespace {

using object::quote;

std::string role_key(std::string_view ns, std::string_view name) { return std::string(ns) + "/" + std::string(name); }

// The subject's key and how it is told; both empty for a kind nobody is.
struct SubjectKey {
  std::string key;
  std::string description;
};

// A service account without a namespace is one of the binding's.
SubjectKey subject_key(const Value& subject, std::string_view binding_ns) {
  std::string_view kind = subject.at("kind").as_string();
  std::string name(subject.at("name").as_string());
  if (kind == "User") return {"u:" + name, "User " + quote(name)};
  if (kind == "Group") return {"g:" + name, "Group " + quote(name)};
  std::string_view told = subject.at("namespace").as_string();
  std::string ns(told.empty() ? binding_ns : told);
  if (kind != "ServiceAccount" || ns.empty()) return {};
  return {"u:system:serviceaccount:" + ns + ":" + name, "ServiceAccount " + quote(name + "/" + ns)};
}

}  // namespace

RbacIndex::RbacIndex(cache::Cache& cache, loop::Loop& loop) {
  auto follow = [&](std::string_view resource, auto handler) {
    followers_.push_back(std::make_unique<ObjectFollower>(
        cache, loop, "rbac.authorization.k8s.io/" + std::string(resource),
        [this, handler](const auto& before, const auto& after) { (this->*handler)(before, after); }));
  };
  follow("clusterroles", &RbacIndex::role_changed);
  follow("roles", &RbacIndex::role_changed);
  follow("clusterrolebindings", &RbacIndex::binding_changed);
  follow("rolebindings", &RbacIndex::binding_changed);
}

void RbacIndex::role_changed(const object::ObjectPtr& before, const object::ObjectPtr& after) {
  const object::Object& role = after ? *after : *before;
  std::string key = role_key(role.ns(), role.name());
  if (after) {
    roles_[key] = read_rules(after->document().at("rules"));
  } else {
    roles_.erase(key);
  }
}

void RbacIndex::binding_changed(const object::ObjectPtr& before, const object::ObjectPtr& after) {
  if (before) remove_binding(*before);
  if (after) add_binding(*after);
}

void RbacIndex::add_binding(const object::Object& object) {
  std::string ns(object.ns());
  const Value& role = object.document().at("roleRef");
  bool cluster_role = role.at("kind").as_string() == "ClusterRole";
  std::string_view name = role.at("name").as_string();
  std::string kind = ns.empty() ? "ClusterRoleBinding" : "RoleBinding";
  std::string shown(object.name());
  if (!ns.empty()) shown += "/" + ns;
  Bindings& bindings = ns.empty() ? cluster_ : namespaces_[ns];
  for (const Value& subject : object.document().at("subjects").items()) {
    SubjectKey key = subject_key(subject, ns);
    if (key.key.empty()) continue;
    Binding made;
    made.role_key = role_key(cluster_role ? std::string_view() : std::string_view(ns), name);
    made.missing_role =
        fmt::format("{}.rbac.authorization.k8s.io {} not found", cluster_role ? "clusterrole" : "role", quote(name));
    made.description = fmt::format("{} {} of {} {} to {}", kind, quote(shown), role.at("kind").as_string(), quote(name),
                                   key.description);
    bindings[key.key].push_back(std::make_shared<const Binding>(std::move(made)));
  }
}

void RbacIndex::remove_binding(const object::Object& object) {
  std::string ns(object.ns());
  Bindings& bindings = ns.empty() ? cluster_ : namespaces_[ns];
  std::string shown(object.name());
  if (!ns.empty()) shown += "/" + ns;
  std::string start = (ns.empty() ? "ClusterRoleBinding " : "RoleBinding ") + quote(shown) + " of ";
  for (const Value& subject : object.document().at("subjects").items()) {
    auto found = bindings.find(subject_key(subject, ns).key);
    if (found == bindings.end()) continue;
    std::erase_if(found->second, [&](const auto& binding) { return binding->description.starts_with(start); });
    if (found->second.empty()) bindings.erase(found);
  }
  if (!ns.empty() && bindings.empty()) namespaces_.erase(ns);
}

bool RbacIndex::visit_subject(const Bindings& bindings, const std::string& subject, std::vector<std::string>& errors,
                              const std::function<bool(const Grant&)>& visit) const {
  auto found = bindings.find(subject);
  if (found == bindings.end()) return true;
  for (const auto& binding : found->second) {
    auto role = roles_.find(binding->role_key);
    if (role == roles_.end()) {
      errors.push_back(binding->missing_role);
      continue;
    }
    for (const PolicyRule& rule : role->second) {
      if (!visit({binding->description, rule})) return false;
    }
  }
  return true;
}

std::vector<std::string> RbacIndex::visit(const client::Identity& identity, std::string_view ns,
                                          const std::function<bool(const Grant&)>& visit) const {
  std::vector<std::string> errors;
  std::vector<std::string> subjects = {"u:" + identity.user};
  for (const std::string& group : identity.groups) subjects.push_back("g:" + group);
  for (const std::string& subject : subjects) {
    if (!visit_subject(cluster_, subject, errors, visit)) return errors;
  }
  auto local = ns.empty() ? namespaces_.end() : namespaces_.find(std::string(ns));
  if (local == namespaces_.end()) return errors;
  for (const std::string& subject : subjects) {
    if (!visit_subject(local->second, subject, errors, visit)) return errors;
  }
  return errors;
}

}  // namespace stead::apiserver
