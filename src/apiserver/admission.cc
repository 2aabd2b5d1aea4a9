#include "apiserver/admission.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "apiserver/aggregation/api_services.h"
#include "apiserver/authorization/escalation.h"
#include "apiserver/certificate_requests.h"
#include "apiserver/policies/policy_status.h"
#include "apiserver/priority_admission.h"
#include "apiserver/quota/limit_ranger.h"
#include "client/informer.h"
#include "object/quantity.h"

namespace stead::apiserver {

namespace {

using object::ObjectPtr;
using object::Value;

constexpr std::string_view kDefaultClassAnnotation = "storageclass.kubernetes.io/is-default-class";
constexpr std::string_view kDefaultClassAnnotationBeta = "storageclass.beta.kubernetes.io/is-default-class";
constexpr std::string_view kClassAnnotationBeta = "volume.beta.kubernetes.io/storage-class";
constexpr std::string_view kDefaultIngressClassAnnotation = "ingressclass.kubernetes.io/is-default-class";
constexpr std::string_view kIngressClassAnnotation = "kubernetes.io/ingress.class";
constexpr std::string_view kClaimProtection = "kubernetes.io/pvc-protection";
constexpr std::string_view kVolumeProtection = "kubernetes.io/pv-protection";

bool is_priority_class(const Call& call) {
  return call.resource->group == "scheduling.k8s.io" && call.resource->name == "priorityclasses";
}

bool is_definition(const Call& call) {
  return call.resource->group == "apiextensions.k8s.io" && call.resource->name == "customresourcedefinitions";
}

bool is_api_service(const Call& call) {
  return call.resource->group == "apiregistration.k8s.io" && call.resource->name == "apiservices";
}

bool is_core(const Call& call, std::string_view resource) {
  return call.resource->group.empty() && call.resource->name == resource;
}

void add_finalizer(Value& document, std::string_view finalizer) {
  Value& metadata = document["metadata"];
  auto items = metadata.at("finalizers").items();
  bool present =
      std::any_of(items.begin(), items.end(), [&](const Value& item) { return item.as_string() == finalizer; });
  if (!present) metadata["finalizers"].append(finalizer);
}

void tolerate_for_a_while(Value& spec, std::string_view taint, std::chrono::seconds span) {
  for (const Value& toleration : spec.at("tolerations").items()) {
    std::string_view key = toleration.at("key").as_string();
    std::string_view effect = toleration.at("effect").as_string();
    bool key_fits = key == taint || (key.empty() && toleration.at("operator").as_string() == "Exists");
    if (key_fits && (effect.empty() || effect == "NoExecute")) return;
  }
  spec["tolerations"].append(Value::object({{"key", taint},
                                            {"operator", "Exists"},
                                            {"effect", "NoExecute"},
                                            {"tolerationSeconds", static_cast<int64_t>(span.count())}}));
}

}  // namespace

Admission::Admission(cache::Cache& cache, ServiceAllocator& services, const Authorizer& authorizer,
                     const ServiceAccountAdmission& accounts, const Catalogue& catalogue)
    : cache_(cache),
      services_(services),
      authorizer_(authorizer),
      accounts_(accounts),
      nodes_(cache),
      catalogue_(catalogue),
      quotas_(cache) {}

Result<void> Admission::check_namespace(const Call& call) const {
  if (!call.resource->namespaced) return {};
  ObjectPtr found = cache_.get("/namespaces", call.request.ns);
  if (!found) {
    Error error = make_error(Reason::kNotFound, fmt::format("namespaces \"{}\" not found", call.request.ns));
    error.kind = "namespaces";
    error.name = call.request.ns;
    return error;
  }
  if (found->deleting()) {
    Error error = make_error(
        Reason::kForbidden,
        fmt::format("{} is forbidden: unable to create new content in namespace {} because it is being terminated",
                    call.qualified_resource(), call.request.ns));
    error.causes.push_back(
        {"NamespaceTerminating", "namespace " + call.request.ns + " is being terminated", "metadata.namespace"});
    return error;
  }
  return {};
}

Result<void> Admission::may_create(const Call& call) const {
  client::Request creation = call.request;
  creation.verb = client::Verb::kCreate;
  return authorizer_.authorize(call.identity, creation);
}

Result<void> Admission::admit_create(const Call& call, Value& document) const {
  STEAD_TRY_VOID(check_namespace(call));
  if (is_definition(call)) catalogue_.settle(document);
  if (is_api_service(call)) settle_api_service(document, catalogue_.now());
  if (is_admission_policy(call)) settle_policy(document, catalogue_);
  if (call.custom && catalogue_.is_terminating(*call.resource)) {
    return make_error(Reason::kMethodNotAllowed, "create not allowed while custom resource definition is terminating");
  }
  STEAD_TRY_VOID(nodes_.admit_create(call, document));
  STEAD_TRY_VOID(check_escalation(authorizer_, cache_, call, document, nullptr));
  if (is_core(call, "pods")) {
    STEAD_TRY_VOID(accounts_.complete_pod(call, document));
    STEAD_TRY_VOID(complete_pod(document));
  }
  if (is_core(call, "secrets")) accounts_.complete_secret(document);
  if (is_priority_class(call)) STEAD_TRY_VOID(check_priority_class(cache_, document));
  STEAD_TRY_VOID(check_limits(call, document, true));
  if (is_core(call, "persistentvolumeclaims")) complete_claim(document);
  if (is_core(call, "persistentvolumes")) add_finalizer(document, kVolumeProtection);
  if (is_core(call, "services")) STEAD_TRY_VOID(services_.complete(document, nullptr));
  if (call.resource->group == "networking.k8s.io" && call.resource->name == "ingresses") complete_ingress(document);
  if (is_certificate_request(call)) STEAD_TRY_VOID(admit_certificate_request(call, document));
  return {};
}

Result<void> Admission::admit_update(const Call& call, Value& document, const Value& old) const {
  // Whatever is written to its status: what the server says of it stays.
  if (is_definition(call)) catalogue_.settle(document);
  if (is_api_service(call) && call.request.subresource.empty()) settle_api_service(document, catalogue_.now());
  if (is_admission_policy(call) && call.request.subresource.empty()) settle_policy(document, catalogue_);
  STEAD_TRY_VOID(nodes_.admit_update(call, document, old));
  if (is_core(call, "services") && call.request.subresource.empty()) {
    STEAD_TRY_VOID(services_.complete(document, &old));
  }
  if (is_core(call, "secrets")) accounts_.complete_secret(document);
  if (is_priority_class(call)) STEAD_TRY_VOID(check_priority_class(cache_, document));
  if (is_core(call, "persistentvolumeclaims") && call.request.subresource.empty()) {
    STEAD_TRY_VOID(check_claim_growth(call, document, old));
  }
  if (call.request.subresource.empty() || call.request.subresource == "resize") {
    STEAD_TRY_VOID(check_limits(call, document, false));
  }
  if (is_certificate_request(call) && call.request.subresource == "status") {
    STEAD_TRY_VOID(admit_certificate_status(call, authorizer_, document, old));
  }
  return check_escalation(authorizer_, cache_, call, document, &old);
}

// A pod's resources are settled when it is made and when it is resized; a claim may grow.
Result<void> Admission::check_limits(const Call& call, Value& document, bool is_new) const {
  bool pod = is_core(call, "pods");
  bool resized = pod && call.request.subresource == "resize";
  if (!(pod && is_new) && !resized && !is_core(call, "persistentvolumeclaims")) return {};
  std::vector<ObjectPtr> ranges;
  std::string prefix = call.request.ns + "/";
  cache_.snapshot("/limitranges").objects.visit_from(prefix, [&](const std::string& key, const ObjectPtr& range) {
    if (!key.starts_with(prefix)) return false;
    ranges.push_back(range);
    return true;
  });
  if (ranges.empty()) return {};
  if (pod && is_new) set_limit_defaults(ranges, document);
  std::vector<std::string> problems =
      pod ? limit_problems_of_pod(ranges, document) : limit_problems_of_claim(ranges, document);
  if (problems.empty()) return {};
  std::string text = fmt::format("{}", fmt::join(problems, ", "));
  if (problems.size() > 1) text = "[" + text + "]";
  Error error = make_error(Reason::kForbidden, fmt::format("{} \"{}\" is forbidden: {}", call.qualified_resource(),
                                                           document.at({"metadata", "name"}).as_string(), text));
  error.kind = call.resource->name;
  error.name = document.at({"metadata", "name"}).as_string();
  return error;
}

// A bound claim grows only where its class says so (KEP-284). Unbound ones are refused by validation.
Result<void> Admission::check_claim_growth(const Call& call, const Value& document, const Value& old) const {
  auto size = [](const Value& claim) {
    auto parsed = object::Quantity::parse(claim.at({"spec", "resources", "requests", "storage"}).as_string());
    return parsed.ok() ? *parsed : object::Quantity();
  };
  auto class_of = [](const Value& claim) {
    const Value* annotated = claim.find({"metadata", "annotations", kClassAnnotationBeta});
    return annotated != nullptr ? annotated->as_string() : claim.at({"spec", "storageClassName"}).as_string();
  };
  if (old.at({"status", "phase"}).as_string() != "Bound" || size(document) <= size(old)) return {};
  std::string_view name = class_of(old);
  ObjectPtr storage_class = name.empty() ? nullptr : cache_.get("storage.k8s.io/storageclasses", name);
  bool allowed =
      storage_class && class_of(document) == name && storage_class->document().at("allowVolumeExpansion").as_bool();
  if (allowed) return {};
  Error error = make_error(
      Reason::kForbidden,
      fmt::format("{} \"{}\" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that "
                  "provisions the pvc must support resize",
                  call.qualified_resource(), call.request.name));
  error.kind = call.resource->name;
  error.name = call.request.name;
  return error;
}

Result<void> Admission::admit_delete(const Call& call) const {
  STEAD_TRY_VOID(nodes_.admit_delete(call));
  if (!is_core(call, "namespaces")) return {};
  for (std::string_view kept : {"default", "kube-system", "kube-public"}) {
    if (call.request.name == kept) {
      return make_error(Reason::kForbidden,
                        fmt::format("namespaces \"{}\" is forbidden: this namespace may not be deleted", kept));
    }
  }
  return {};
}

Result<void> Admission::complete_pod(Value& document) const {
  Value& spec = document["spec"];
  STEAD_TRY_VOID(complete_priority(cache_, document));
  tolerate_for_a_while(spec, "node.kubernetes.io/not-ready", toleration_);
  tolerate_for_a_while(spec, "node.kubernetes.io/unreachable", toleration_);
  return {};
}

void Admission::complete_claim(Value& document) const {
  add_finalizer(document, kClaimProtection);
  Value& spec = document["spec"];
  const Value& annotations = document.at({"metadata", "annotations"});
  if (spec.find("storageClassName") != nullptr || annotations.find(kClassAnnotationBeta) != nullptr) return;
  ObjectPtr chosen =
      default_class("storage.k8s.io/storageclasses", {kDefaultClassAnnotation, kDefaultClassAnnotationBeta});
  if (chosen) spec.set("storageClassName", chosen->name());
}

void Admission::complete_ingress(Value& document) const {
  Value& spec = document["spec"];
  if (spec.find("ingressClassName") != nullptr ||
      document.find({"metadata", "annotations", kIngressClassAnnotation}) != nullptr) {
    return;
  }
  ObjectPtr chosen = default_class("networking.k8s.io/ingressclasses", {kDefaultIngressClassAnnotation});
  if (chosen) spec.set("ingressClassName", chosen->name());
}

// Of several default classes the youngest counts, then the first by name (KEP-3333).
ObjectPtr Admission::default_class(const std::string& resource, std::initializer_list<std::string_view> marks) const {
  ObjectPtr chosen;
  cache_.snapshot(resource).objects.visit_from("", [&](const std::string&, const ObjectPtr& candidate) {
    const Value& annotations = candidate->metadata().at("annotations");
    bool marked = std::any_of(marks.begin(), marks.end(),
                              [&](std::string_view mark) { return annotations.at(mark).as_string() == "true"; });
    if (!marked) return true;
    if (!chosen || candidate->metadata().at("creationTimestamp").as_string() >
                       chosen->metadata().at("creationTimestamp").as_string()) {
      chosen = candidate;
    }
    return true;
  });
  return chosen;
}

}  // namespace stead::apiserver
