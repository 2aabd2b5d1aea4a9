#pragma once

// Roles by name and bindings by subject, kept up with the cache, so that a check costs one look-up per group of the
// user and a walk over the rules it holds. API loop only.

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "apiserver/authorization/policy_rule.h"
#include "apiserver/object_follower.h"

namespace stead::apiserver {

class RbacIndex {
 public:
  // References outlive this.
  RbacIndex(cache::Cache& cache, loop::Loop& loop);

  // How a rule comes to a user.
  struct Grant {
    const std::string& binding;  // `ClusterRoleBinding "x" of ClusterRole "y" to Group "z"`
    const PolicyRule& rule;
  };
  // Visits the rules that hold for `identity` in `ns` (empty: everywhere) until `visit` returns false; cluster-wide
  // ones first. Returns what could not be read: bindings to roles that are not there, as sentences.
  std::vector<std::string> visit(const client::Identity& identity, std::string_view ns,
                                 const std::function<bool(const Grant&)>& visit) const;

 private:
  struct Binding {
    std::string role_key;      // "" + "/name": a cluster role; "ns/name": a role
    std::string missing_role;  // the sentence where the role is not there
    std::string description;   // Grant::binding
  };
  // By subject: "u:alice", "g:devs".
  using Bindings = std::unordered_map<std::string, std::vector<std::shared_ptr<const Binding>>>;

  void role_changed(const object::ObjectPtr& before, const object::ObjectPtr& after);
  void binding_changed(const object::ObjectPtr& before, const object::ObjectPtr& after);
  void add_binding(const object::Object& object);
  void remove_binding(const object::Object& object);
  bool visit_subject(const Bindings& bindings, const std::string& subject, std::vector<std::string>& errors,
                     const std::function<bool(const Grant&)>& visit) const;

  std::unordered_map<std::string, PolicyRules> roles_;
  Bindings cluster_;
  std::unordered_map<std::string, Bindings> namespaces_;
  std::vector<std::unique_ptr<ObjectFollower>> followers_;
};

}  // namespace stead::apiserver
