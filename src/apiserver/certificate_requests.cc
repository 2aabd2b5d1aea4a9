#include "apiserver/certificate_requests.h"

#include <fmt/format.h>

#include <algorithm>

#include "apiserver/patching.h"
#include "http/x509.h"
#include "kinds/meta/conditions.h"
#include "object/base64.h"
#include "object/time.h"

namespace stead::apiserver {
namespace {

constexpr std::string_view kGroup = "certificates.k8s.io";
constexpr std::string_view kClientSigner = "kubernetes.io/kube-apiserver-client";

bool has_condition(const Value& document, std::string_view type) {
  return kinds::find_condition(document.at("status"), type) != nullptr;
}

// Permission is for the signer, or for all of its domain ("example.com/*").
Result<void> may(const Authorizer& authorizer, const client::Identity& identity, std::string_view verb,
                 const std::string& signer) {
  Attributes attributes;
  attributes.verb = verb;
  attributes.group = kGroup;
  attributes.version = "*";
  attributes.resource = "signers";
  attributes.name = signer;
  if (authorizer.allows(identity, attributes)) return {};
  std::string domain = signer.substr(0, signer.find('/')) + "/*";
  attributes.name = domain;
  if (authorizer.allows(identity, attributes)) return {};
  return make_error(Reason::kForbidden,
                    fmt::format("user not permitted to {} requests with signerName \"{}\"", verb, signer));
}

Error forbidden(const object::Object& request, const Error& why) {
  Error error = make_error(Reason::kForbidden, fmt::format("certificatesigningrequests.{} \"{}\" is forbidden: {}",
                                                           kGroup, request.name(), why.message));
  error.group = kGroup;
  error.kind = "certificatesigningrequests";
  error.name = request.name();
  return error;
}

Result<void> check_conditions(const object::Object& current, const Value& wanted) {
  object::FieldErrors errors;
  object::Path status("status");
  object::Path path = status.child("conditions");
  bool approved = false;
  bool denied = false;
  auto items = wanted.items();
  for (size_t at = 0; at < items.size(); ++at) {
    object::Path item = path.index(at);
    std::string_view type = items[at].at("type").as_string();
    if (type.empty()) errors.required(item.child("type"));
    static constexpr std::string_view kTrue[] = {"True"};
    bool decides = type == "Approved" || type == "Denied" || type == "Failed";
    if (decides && items[at].at("status").as_string() != "True") {
      errors.not_supported(item.child("status"), items[at].at("status"), kTrue);
    }
    approved |= type == "Approved";
    denied |= type == "Denied";
  }
  if (approved && denied) {
    errors.invalid(path, Value("Denied"), "Approved and Denied conditions are mutually exclusive");
  }
  for (std::string_view type : {"Approved", "Denied", "Failed"}) {
    bool kept =
        std::any_of(items.begin(), items.end(), [&](const Value& one) { return one.at("type").as_string() == type; });
    if (has_condition(current.document(), type) && !kept) {
      errors.forbidden(path, fmt::format("updates may not remove a condition of type \"{}\"", type));
    }
  }
  if (errors.empty()) return {};
  return errors.to_error(kGroup, "CertificateSigningRequest", current.name());
}

// `wanted` is the whole document as the caller would have it.
Result<Verbs::Change> approve(const object::Object& current, const Value& wanted, const Authorizer& authorizer,
                              const client::Identity& identity, WallTime now) {
  Result<void> allowed = may(authorizer, identity, "approve", std::string(current.spec().at("signerName").as_string()));
  if (!allowed.ok()) return forbidden(current, allowed.error());
  Value conditions = wanted.at({"status", "conditions"});
  STEAD_TRY_VOID(check_conditions(current, conditions));
  std::string time = object::format_time(now);
  for (Value& condition : conditions.mutable_items()) {
    for (std::string_view name : {"lastUpdateTime", "lastTransitionTime"}) {
      if (condition.at(name).is_null()) condition.set(name, time);
    }
  }
  Verbs::Change change;
  change.skip_validation = true;
  change.keep_spec_rules = false;
  change.document = current.document();
  if (!conditions.empty()) change.document.set({"status", "conditions"}, std::move(conditions));
  std::string_view revision = wanted.at({"metadata", "resourceVersion"}).as_string();
  if (!revision.empty() && revision != std::to_string(current.revision())) change.expected_revision = -1;
  return change;
}

}  // namespace

bool is_certificate_request(const Call& call) {
  return call.resource->group == kGroup && call.resource->name == "certificatesigningrequests";
}

Result<void> admit_certificate_request(const Call& call, Value& document) {
  Value& spec = document["spec"];
  for (std::string_view name : {"username", "uid", "groups", "extra"}) spec.erase(name);
  spec.set("username", call.identity.user);
  if (!call.identity.uid.empty()) spec.set("uid", call.identity.uid);
  Value groups = Value::array();
  for (const std::string& group : call.identity.groups) groups.append(group);
  if (!groups.empty()) spec.set("groups", std::move(groups));
  if (!call.identity.extra.empty()) {
    Value extra = Value::object();
    for (const auto& [name, values] : call.identity.extra) {
      Value list = Value::array();
      for (const std::string& value : values) list.append(value);
      extra.set(name, std::move(list));
    }
    spec.set("extra", std::move(extra));
  }
  document.erase("status");
  Result<std::string> pem = object::decode_base64(spec.at("request").as_string());
  Result<http::RequestFacts> facts = http::read_request(pem.ok() ? *pem : std::string());
  if (!facts.ok()) {
    object::FieldErrors errors;
    object::Path path("spec");
    errors.invalid(path.child("request"), Value("<request>"), facts.error().message);
    return errors.to_error(kGroup, "CertificateSigningRequest", document.at({"metadata", "name"}).as_string());
  }
  const auto& organizations = facts->organizations;
  bool masters = std::find(organizations.begin(), organizations.end(), kMasters) != organizations.end();
  if (masters && spec.at("signerName").as_string() == kClientSigner) {
    return make_error(Reason::kForbidden,
                      fmt::format("use of {} signer with system:masters group is not allowed", kClientSigner));
  }
  return {};
}

Result<void> admit_certificate_status(const Call& call, const Authorizer& authorizer, const Value& document,
                                      const Value& old) {
  bool signs = !(document.at({"status", "certificate"}) == old.at({"status", "certificate"}));
  bool fails = has_condition(document, "Failed") && !has_condition(old, "Failed");
  if (!signs && !fails) return {};
  return may(authorizer, call.identity, "sign", std::string(old.at({"spec", "signerName"}).as_string()));
}

Result<Response> get_approval(const Verbs& verbs, const Call& call) { return verbs.get(call); }

void update_approval(Verbs& verbs, const Authorizer& authorizer, Call call, WallTime now, Callback done) {
  Value wanted = std::move(call.request.body);
  client::Identity identity = call.identity;
  verbs.change(
      std::move(call),
      [wanted, &authorizer, identity, now](const object::Object& current) {
        return approve(current, wanted, authorizer, identity, now);
      },
      std::move(done));
}

void patch_approval(Verbs& verbs, const Authorizer& authorizer, Call call, WallTime now, Callback done) {
  Call context = call;
  Value patch = std::move(context.request.body);
  context.request.body = Value();
  verbs.change(
      std::move(call),
      [patch, context, &authorizer, now](const object::Object& current) -> Result<Verbs::Change> {
        Value wanted = current.document();
        STEAD_TRY_VOID(apply_patch(context, patch, wanted));
        return approve(current, wanted, authorizer, context.identity, now);
      },
      std::move(done));
}

}  // namespace stead::apiserver
