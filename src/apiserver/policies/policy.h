#pragma once

// A ValidatingAdmissionPolicy and its bindings, compiled, and what the policy says of a request. Pure but for the
// questions to the authorizer; API loop only.

#include <optional>
#include <string>
#include <vector>

#include "apiserver/policies/request_scope.h"
#include "kinds/admissionregistration/policy_program.h"
#include "object/selector.h"

namespace stead::apiserver {

// MatchResources, compiled.
struct RequestChoice {
  object::Value rules;
  object::Value excluded;
  bool equivalent = true;
  object::LabelSelector namespaces;
  object::LabelSelector objects;

  // `document` has passed its validation; null chooses everything.
  static RequestChoice make(const object::Value& document);
  // Whether rules could mean it, whatever its name and labels.
  bool concerned(const Call& call, Operation operation) const;
  // The version of the resource in which it is chosen; nullptr: it is not.
  const kinds::Version* choose(const AdmissionAttributes& attributes, const object::Value* namespace_labels) const;
};

struct Policy {
  std::string name;
  RequestChoice choice;
  bool failure_is_fatal = true;
  std::string param_version;  // "v1", "example.com/v1"; empty: no parameters
  std::string param_kind;
  kinds::PolicyProgram program;

  static Policy make(const object::Object& object);
};

struct PolicyBinding {
  std::string name;
  std::string policy;
  RequestChoice choice;
  object::Value actions;
  object::Value param_ref;  // null: none
  bool denies = false;
  bool warns = false;
  bool audits = false;

  static PolicyBinding make(const object::Object& object);
};

// What one validation, or a failure, came to.
struct Refusal {
  std::string message;
  std::string reason;    // "Invalid", "Forbidden" …
  size_t index = 0;      // of the validation
  bool certain = false;  // whatever the binding's actions are
};

struct Verdict {
  std::vector<Refusal> refusals;
  std::vector<std::pair<std::string, std::string>> annotations;  // key and text
};
// With the parameters that `scope` has.
Verdict judge(const Policy& policy, RequestScope& scope);

}  // namespace stead::apiserver
