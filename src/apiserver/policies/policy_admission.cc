#include "apiserver/policies/policy_admission.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "apiserver/document.h"
#include "apiserver/webhooks/request_match.h"
#include "object/codec.h"

namespace stead::apiserver {
namespace {

using object::Value;

constexpr size_t kAnnotationBytesMax = 10 * 1024;

// Who writes policies is not stopped by them.
bool is_exempt(const Call& call) {
  return call.resource->group == "admissionregistration.k8s.io" &&
         (call.resource->name == "validatingadmissionpolicies" ||
          call.resource->name == "validatingadmissionpolicybindings");
}

Reason reason_of(std::string_view name) {
  for (Reason reason : {Reason::kForbidden, Reason::kUnauthorized, Reason::kRequestEntityTooLarge}) {
    if (reason_name(reason) == name) return reason;
  }
  return Reason::kInvalid;
}

Error config_error(std::string message) { return make_error(Reason::kInternal, std::move(message)); }

}  // namespace

// One request on its way through the policies.
struct PolicyAdmission::Session {
  const AdmissionAttributes& attributes;
  const object::ObjectPtr ns;
  std::vector<std::string> warnings;
  std::optional<Error> denial;
  std::map<std::string, std::vector<std::string>> annotations = {};  // of the policy that is judging

  const Value* namespace_labels() const { return ns ? &ns->metadata().at("labels") : nullptr; }

  void deny(const Policy& policy, const PolicyBinding* binding, const Refusal& refusal) {
    if (denial) return;
    const Call& call = *attributes.call;
    std::string with = binding == nullptr ? std::string() : fmt::format(" with binding '{}'", binding->name);
    std::string why =
        fmt::format("ValidatingAdmissionPolicy '{}'{} denied request: {}", policy.name, with, refusal.message);
    std::string name(object_name(attributes));
    denial = make_error(reason_of(refusal.reason),
                        fmt::format("{} \"{}\" is forbidden: {}", call.qualified_resource(), name, why));
    denial->group = call.version->group;
    denial->kind = call.resource->name;
    denial->name = std::move(name);
    denial->causes.push_back({"", std::move(why), ""});
  }

  void misconfigured(const Policy& policy, const PolicyBinding* binding, std::string_view why) {
    if (!policy.failure_is_fatal) return;
    std::string_view what = binding == nullptr ? "policy" : "binding";
    deny(policy, binding, {fmt::format("failed to configure {}: {}", what, why), "Invalid"});
  }

  void record(const Policy& policy, const PolicyBinding& binding, const Refusal& refusal) const {
    if (!attributes.call->annotations) return;
    const Value failures = Value::array({Value::object({{"message", refusal.message},
                                                        {"policy", policy.name},
                                                        {"binding", binding.name},
                                                        {"expressionIndex", static_cast<int64_t>(refusal.index)},
                                                        {"validationActions", binding.actions}})});
    attributes.call->annotations->emplace("validation.policy.admission.k8s.io/validation_failure",
                                          object::to_json(failures));
  }

  // Bindings with different parameters may have different things to tell under one key.
  void annotate(const Policy& policy) {
    for (const auto& [key, texts] : annotations) {
      if (!attributes.call->annotations) break;
      attributes.call->annotations->emplace(policy.name + "/" + key, fmt::format("{}", fmt::join(texts, ", ")));
    }
    annotations.clear();
  }

  void take(const Policy& policy, const PolicyBinding& binding, const Verdict& verdict) {
    for (const auto& [key, text] : verdict.annotations) {
      std::vector<std::string>& told = annotations[key];
      if (std::find(told.begin(), told.end(), text) == told.end()) told.push_back(text.substr(0, kAnnotationBytesMax));
    }
    for (const Refusal& refusal : verdict.refusals) {
      if (binding.denies || refusal.certain) deny(policy, &binding, refusal);
      if (refusal.certain) continue;
      if (binding.audits) record(policy, binding, refusal);
      if (binding.warns) {
        warnings.push_back(fmt::format("Validation failed for ValidatingAdmissionPolicy '{}' with binding '{}': {}",
                                       policy.name, binding.name, refusal.message));
      }
    }
  }
};

PolicyAdmission::PolicyAdmission(cache::Cache& cache, loop::Loop& loop, const Catalogue& catalogue,
                                 const Authorizer& authorizer)
    : cache_(cache),
      catalogue_(catalogue),
      authorizer_(authorizer),
      policy_follower_(cache, loop, "admissionregistration.k8s.io/validatingadmissionpolicies",
                       [this](const auto& before, const auto& after) { policy_changed(before, after); }),
      binding_follower_(cache, loop, "admissionregistration.k8s.io/validatingadmissionpolicybindings",
                        [this](const auto& before, const auto& after) { binding_changed(before, after); }) {}

void PolicyAdmission::policy_changed(const object::ObjectPtr& before, const object::ObjectPtr& after) {
  if (!after) {
    policies_.erase(std::string(before->name()));
    return;
  }
  // A new status or label changes no rule.
  PolicyPtr& kept = policies_[std::string(after->name())];
  if (kept && before && before->uid() == after->uid() && before->spec() == after->spec()) return;
  kept = std::make_shared<const Policy>(Policy::make(*after));
}

void PolicyAdmission::binding_changed(const object::ObjectPtr& before, const object::ObjectPtr& after) {
  if (before) {
    auto found = bindings_.find(before->spec().at("policyName").as_string());
    if (found != bindings_.end()) {
      found->second.erase(std::string(before->name()));
      if (found->second.empty()) bindings_.erase(found);
    }
  }
  if (!after) return;
  PolicyBinding made = PolicyBinding::make(*after);
  Bindings& of_policy = bindings_[made.policy];
  std::string name = made.name;
  of_policy.insert_or_assign(std::move(name), std::move(made));
}

bool PolicyAdmission::concerned(const Call& call, Operation operation) const {
  if (bindings_.empty() || policies_.empty() || is_exempt(call)) return false;
  for (const auto& [name, policy] : policies_) {
    if (bindings_.contains(name) && policy->choice.concerned(call, operation)) return true;
  }
  return false;
}

Result<std::vector<Value>> PolicyAdmission::parameters(const Policy& policy, const PolicyBinding& binding,
                                                       const AdmissionAttributes& attributes) const {
  std::vector<Value> found;
  if (policy.param_kind.empty() || binding.param_ref.is_null()) {
    found.emplace_back();
    return found;
  }
  const Catalogue::Served served = catalogue_.find_kind(policy.param_version, policy.param_kind);
  if (served.resource == nullptr) {
    return config_error(fmt::format("paramKind kind `{}, Kind={}` not known", policy.param_version, policy.param_kind));
  }
  const kinds::Resource& resource = *served.resource;
  const kinds::Version* version = nullptr;
  for (const kinds::Version& one : resource.versions) {
    if (one.api_version == policy.param_version) version = &one;
  }
  const Value& reference = binding.param_ref;
  std::string ns(reference.at("namespace").as_string());
  if (!resource.namespaced && !ns.empty()) {
    return config_error("paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
  }
  if (resource.namespaced && ns.empty()) ns = attributes.call->request.ns;
  if (resource.namespaced && ns.empty()) {
    return config_error("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources");
  }
  const std::string path = std::string(resource.group) + "/" + std::string(resource.name);
  const std::string prefix = resource.namespaced ? ns + "/" : std::string();
  auto add = [&](const object::ObjectPtr& object) {
    found.push_back(to_version(resource, *version, object->document()));
  };
  std::string_view name = reference.at("name").as_string();
  if (!name.empty()) {
    if (object::ObjectPtr object = cache_.get(path, prefix + std::string(name))) add(object);
  } else {
    const object::LabelSelector selector = selector_of(reference.at("selector"));
    cache_.snapshot(path).objects.visit_from(prefix, [&](const std::string& key, const object::ObjectPtr& object) {
      if (!key.starts_with(prefix)) return false;
      if (selector.matches(object->metadata().at("labels"))) add(object);
      return true;
    });
  }
  if (found.empty() && reference.at("parameterNotFoundAction").as_string() == "Deny") {
    return config_error("no params found for policy binding with `Deny` parameterNotFoundAction");
  }
  return found;
}

void PolicyAdmission::judge_by(const Policy& policy, Session& session) const {
  const AdmissionAttributes& attributes = session.attributes;
  const kinds::Version* version = policy.choice.choose(attributes, session.namespace_labels());
  if (version == nullptr) return;
  if (!policy.param_kind.empty() && catalogue_.find_kind(policy.param_version, policy.param_kind).resource == nullptr) {
    return session.misconfigured(policy, nullptr,
                                 fmt::format("failed to find resource referenced by paramKind: '{}, Kind={}'",
                                             policy.param_version, policy.param_kind));
  }
  std::optional<RequestScope> scope;
  for (const auto& [name, binding] : bindings_.find(policy.name)->second) {
    if (binding.choice.choose(attributes, session.namespace_labels()) == nullptr) continue;
    Result<std::vector<Value>> params = parameters(policy, binding, attributes);
    if (!params.ok()) {
      session.misconfigured(policy, &binding, params.error().message);
      continue;
    }
    if (!scope) {
      scope.emplace(attributes, *version, session.ns ? &session.ns->document() : nullptr, authorizer_);
    }
    for (const Value& one : *params) {
      scope->set_params(one.is_null() ? nullptr : &one);
      session.take(policy, binding, apiserver::judge(policy, *scope));
    }
    scope->set_params(nullptr);
  }
  session.annotate(policy);
}

Result<std::vector<std::string>> PolicyAdmission::judge(const AdmissionAttributes& attributes) const {
  const Call& call = *attributes.call;
  if (bindings_.empty() || is_exempt(call)) return std::vector<std::string>();
  Session session{attributes, call.resource->namespaced ? cache_.get("/namespaces", call.request.ns) : nullptr, {}, {}};
  for (const auto& [name, policy] : policies_) {
    if (bindings_.contains(name) && policy->choice.concerned(call, attributes.operation)) judge_by(*policy, session);
  }
  if (session.denial) return std::move(*session.denial);
  return std::move(session.warnings);
}

}  // namespace stead::apiserver
