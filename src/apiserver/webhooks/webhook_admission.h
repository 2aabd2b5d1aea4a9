#pragma once

// Runs the admission webhooks of a write, and before those that validate the admission policies. API loop only.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apiserver/conversion/converter.h"
#include "apiserver/object_follower.h"
#include "apiserver/policies/policy_admission.h"
#include "apiserver/webhooks/webhook.h"
#include "apiserver/webhooks/webhook_caller.h"
#include "base/random.h"

namespace stead::apiserver {

class WebhookAdmission {
 public:
  // References outlive this; `caller` may be null.
  WebhookAdmission(cache::Cache& cache, loop::Loop& loop, Random& random, WebhookCaller* caller, Converter& converter,
                   const PolicyAdmission& policies);

  // Whether the rules of any webhook or policy are about such a write; most often none are.
  bool concerned(const Call& call, Operation operation) const;

  struct Outcome {
    object::Value object;  // in hub form; what the server itself sets in metadata is as it was
    bool changed = false;
    std::vector<std::string> warnings;
  };
  using MutateDone = std::function<void(Result<Outcome>)>;
  // One after the other, in the order of their configurations' names. May answer before it returns.
  void mutate(AdmissionAttributes attributes, MutateDone done) const;

  using ValidateDone = std::function<void(Result<std::vector<std::string>> warnings)>;
  // The policies, then the webhooks all at once; the first refusal in order counts. May answer before it returns.
  void validate(AdmissionAttributes attributes, ValidateDone done) const;

 private:
  struct Mutation;
  struct Validation;
  using WebhookPtr = std::shared_ptr<const Webhook>;
  using Configurations = std::map<std::string, std::vector<WebhookPtr>, std::less<>>;

  void configure(Configurations& all, bool mutating, const object::ObjectPtr& before, const object::ObjectPtr& after);
  static bool any_matches(const Configurations& all, const Call& call, Operation operation);
  // Those that are meant, in order.
  struct Chosen {
    WebhookPtr webhook;
    const kinds::Version* version = nullptr;
  };
  // By its selectors and conditions. kForbidden where a condition failed and that is fatal.
  Result<bool> chooses(const Chosen& chosen, const AdmissionAttributes& attributes) const;
  std::vector<Chosen> choose(const Configurations& all, const AdmissionAttributes& attributes) const;
  // The documents in the version that a webhook is shown, where only a conversion webhook can tell.
  static bool has_other_form(const AdmissionAttributes& attributes, const kinds::Version& version);
  using ShownDone = std::function<void(Result<AdmissionAttributes> shown)>;
  void show_in(const AdmissionAttributes& attributes, const kinds::Version& version, const ShownDone& done) const;
  using AnswerDone = std::function<void(Result<object::Value> patch, std::vector<std::string> warnings)>;
  // A refusal, or a call that failed where that is fatal, is an error; the patch is null where there is none.
  void call(const Chosen& chosen, const AdmissionAttributes& attributes, AnswerDone done) const;

  cache::Cache& cache_;
  Random& random_;
  WebhookCaller* caller_;
  Converter& converter_;
  const PolicyAdmission& policies_;
  Configurations mutating_;
  Configurations validating_;
  ObjectFollower mutating_follower_;
  ObjectFollower validating_follower_;
};

}  // namespace stead::apiserver
