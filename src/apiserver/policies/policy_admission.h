#pragma once

// Follows ValidatingAdmissionPolicies and their bindings, and judges writes by them (KEP-3488). A policy is in effect
// as soon as it and a binding are in the cache. API loop only.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apiserver/custom/catalogue.h"
#include "apiserver/object_follower.h"
#include "apiserver/policies/policy.h"

namespace stead::apiserver {

class PolicyAdmission {
 public:
  // References outlive this.
  PolicyAdmission(cache::Cache& cache, loop::Loop& loop, const Catalogue& catalogue, const Authorizer& authorizer);

  // Whether any bound policy's rules are about such a write; most often there is none.
  bool concerned(const Call& call, Operation operation) const;

  // Warnings, or the first refusal in the order of the names of policies and bindings.
  Result<std::vector<std::string>> judge(const AdmissionAttributes& attributes) const;

  const Authorizer& authorizer() const { return authorizer_; }

 private:
  using PolicyPtr = std::shared_ptr<const Policy>;
  using Bindings = std::map<std::string, PolicyBinding, std::less<>>;  // by name
  struct Session;

  void policy_changed(const object::ObjectPtr& before, const object::ObjectPtr& after);
  void binding_changed(const object::ObjectPtr& before, const object::ObjectPtr& after);
  // The documents of a binding's parameters, in the form that the policy wants; one null for none at all; nothing where
  // there are none and that is allowed. kInternal with what is wrong.
  Result<std::vector<object::Value>> parameters(const Policy& policy, const PolicyBinding& binding,
                                                const AdmissionAttributes& attributes) const;
  void judge_by(const Policy& policy, Session& session) const;

  cache::Cache& cache_;
  const Catalogue& catalogue_;
  const Authorizer& authorizer_;
  std::map<std::string, PolicyPtr, std::less<>> policies_;
  std::map<std::string, Bindings, std::less<>> bindings_;  // by the policy's name
  ObjectFollower policy_follower_;
  ObjectFollower binding_follower_;
};

}  // namespace stead::apiserver
