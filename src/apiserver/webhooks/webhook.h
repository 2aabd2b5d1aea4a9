#pragma once

// One webhook of a configuration, compiled, and whether it is meant by a write. Pure.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "apiserver/call.h"
#include "apiserver/webhooks/webhook_target.h"
#include "kinds/admissionregistration/admission_environment.h"
#include "object/selector.h"

namespace stead::apiserver {

enum class Operation : uint8_t { kCreate, kUpdate, kDelete, kConnect };
std::string_view operation_name(Operation operation);  // "CREATE"

// What is about to be done.
struct AdmissionAttributes {
  std::shared_ptr<const Call> call;
  Operation operation = Operation::kCreate;
  object::Value object;  // as it would be written, in hub form; null for deletions
  object::Value old;     // as it is; null for creations
  // The documents are the subresource's own (Scale, Binding, Eviction), not in a version of the resource.
  bool subresource_kind = false;
};

struct Webhook {
  std::string name;
  bool mutating = false;
  object::Value rules;
  bool equivalent = true;
  bool failure_is_fatal = true;
  bool reinvoke = false;
  object::LabelSelector namespaces;
  object::LabelSelector objects;
  std::vector<kinds::MatchCondition> conditions;
  std::chrono::seconds timeout{10};
  std::string review_version = "v1";
  WebhookTarget target;

  // `document` has passed its validation.
  static Webhook make(const object::Value& document, bool mutating);
  // The version of the resource that a rule is about: the caller's, or by matchPolicy Equivalent another; nullptr:
  // none.
  const kinds::Version* matching_version(const Call& call, Operation operation) const;
  // Whether the selectors choose it. `namespace_labels` is null where no namespace has a say.
  bool selects(const AdmissionAttributes& attributes, const object::Value* namespace_labels) const;
};

// Configurations of webhooks are not webhooks' business.
bool is_exempt_from_webhooks(const Call& call);

}  // namespace stead::apiserver
