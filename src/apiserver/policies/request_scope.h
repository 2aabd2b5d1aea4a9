#pragma once

// One request as expressions see it, and the evaluation of expressions against it within a budget of cost. API loop
// only.

#include <memory>
#include <span>
#include <string>

#include "apiserver/authorization/authorizer.h"
#include "apiserver/webhooks/webhook.h"
#include "cel/authorizer.h"
#include "cel/environment.h"
#include "kinds/admissionregistration/admission_environment.h"

namespace stead::apiserver {

// Answers what `authorizer` is asked in an expression, for the user of a request or a service account.
class RequestAuthorizer final : public cel::Authorizer {
 public:
  // References outlive this.
  RequestAuthorizer(const apiserver::Authorizer& authorizer, const client::Identity& identity)
      : authorizer_(authorizer), identity_(identity) {}
  cel::AuthorizationAnswer check(const cel::AuthorizationQuestion& question) const override;

 private:
  const apiserver::Authorizer& authorizer_;
  const client::Identity& identity_;
};

// What evaluations together may still cost.
struct CostBudget {
  uint64_t left = cel::kCostBudget;
  bool spent = false;  // an evaluation wanted more than was left
};

// Takes its cost from `budget`. An error Value where it failed.
cel::Value evaluate(const cel::Program& program, const cel::Activation& activation, CostBudget& budget);

class RequestScope {
 public:
  // The objects in the form of `version`. `ns` is null where the request is in no namespace. References outlive this,
  // and this the values of evaluations.
  RequestScope(const AdmissionAttributes& attributes, const kinds::Version& version, const object::Value* ns,
               const Authorizer& authorizer);
  RequestScope(const RequestScope&) = delete;

  // `params` outlives the evaluations; null: there are none.
  void set_params(const object::Value* params);
  cel::Activation& activation() { return activation_; }

 private:
  object::Value object_;
  object::Value old_;
  object::Value request_;
  RequestAuthorizer authorizer_;
  cel::Activation activation_;
};

// Whether all conditions hold. One that is false decides, whatever fails beside it; otherwise kInternal with what
// failed.
Result<bool> all_hold(std::span<const kinds::MatchCondition> conditions, const cel::Activation& activation,
                      CostBudget& budget);

// "expression 'X' resulted in error: Y".
std::string failure_text(std::string_view expression, const cel::Value& error);

}  // namespace stead::apiserver
