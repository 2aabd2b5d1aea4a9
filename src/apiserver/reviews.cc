#include "apiserver/reviews.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "object/field_error.h"

namespace stead::apiserver {
namespace {

using object::FieldErrors;
using object::Path;

Value list_of(const std::vector<std::string>& texts) {
  Value list = Value::array();
  for (const std::string& text : texts) list.append(text);
  return list;
}

std::vector<std::string> texts_of(const Value& list) {
  std::vector<std::string> texts;
  for (const Value& item : list.items()) texts.emplace_back(item.as_string());
  return texts;
}

Value user_info(const client::Identity& identity) {
  Value user = Value::object({{"username", identity.user}});
  if (!identity.uid.empty()) user.set("uid", identity.uid);
  if (!identity.groups.empty()) user.set("groups", list_of(identity.groups));
  for (const auto& [key, values] : identity.extra) user["extra"].set(key, list_of(values));
  return user;
}

client::Identity read_user(const Value& spec) {
  client::Identity identity{std::string(spec.at("user").as_string()), std::string(spec.at("uid").as_string()),
                            texts_of(spec.at("groups"))};
  for (const object::Member& member : spec.at("extra").members()) {
    identity.extra[std::string(member.name())] = texts_of(member.value);
  }
  return identity;
}

// fieldSelector or labelSelector of resourceAttributes. RBAC looks at neither; other authorizers may.
void validate_selector(const Path& path, const Value& selector, FieldErrors& errors) {
  if (selector.is_null()) return;
  const Value& raw = selector.at("rawSelector");
  auto requirements = selector.at("requirements").items();
  Path list = path.child("requirements");
  if (!raw.as_string().empty() && !requirements.empty()) {
    errors.invalid(path.child("rawSelector"), raw, "may not specified at the same time as requirements");
  }
  if (raw.as_string().empty() && requirements.empty()) {
    errors.required(list, fmt::format("when {} is specified, requirements or rawSelector is required", path.str()));
  }
  for (size_t i = 0; i < requirements.size(); ++i) {
    Path at = list.index(i);
    const Value& values = requirements[i].at("values");
    std::string_view op = requirements[i].at("operator").as_string();
    if (requirements[i].at("key").as_string().empty()) errors.required(at.child("key"), "must be specified");
    if (op == "In" || op == "NotIn") {
      if (!values.empty()) continue;
      errors.required(at.child("values"), "must be specified when `operator` is 'In' or 'NotIn'");
    } else if (op == "Exists" || op == "DoesNotExist") {
      if (values.empty()) continue;
      errors.forbidden(at.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    } else {
      errors.invalid(at.child("operator"), Value(op), "not a valid selector operator");
    }
  }
}

void validate_access(const Call& call, const Value& spec, bool self, FieldErrors& errors) {
  Path path("spec");
  const Value& resource = spec.at("resourceAttributes");
  const Value& other = spec.at("nonResourceAttributes");
  if (!resource.is_null() && !other.is_null()) {
    errors.invalid(path.child("nonResourceAttributes"), other,
                   "cannot be specified in combination with resourceAttributes");
  }
  if (resource.is_null() && other.is_null()) {
    errors.invalid(path.child("resourceAttributes"), Value(),
                   "exactly one of nonResourceAttributes or resourceAttributes must be specified");
  }
  if (!self && spec.at("user").as_string().empty() && spec.at("groups").empty()) {
    errors.invalid(path.child("user"), Value(""), "at least one of user or group must be specified");
  }
  Path in_resource = path.child("resourceAttributes");
  validate_selector(in_resource.child("fieldSelector"), resource.at("fieldSelector"), errors);
  validate_selector(in_resource.child("labelSelector"), resource.at("labelSelector"), errors);
  if (call.resource->name != "localsubjectaccessreviews") return;
  if (!other.is_null())
    errors.invalid(path.child("nonResourceAttributes"), other, "disallowed on this kind of request");
  if (!resource.is_null() && resource.at("namespace").as_string() != call.request.ns) {
    errors.invalid(in_resource.child("namespace"), resource.at("namespace"), "must match metadata.namespace");
  }
}

Attributes read_attributes(const Value& spec) {
  const Value& resource = spec.at("resourceAttributes");
  if (resource.is_null()) {
    const Value& other = spec.at("nonResourceAttributes");
    std::string_view path = other.at("path").as_string();
    // An empty path is nobody's, but still a path.
    return {other.at("verb").as_string(), {}, {}, {}, {}, {}, {}, path.empty() ? std::string_view(" ") : path};
  }
  auto text = [&](std::string_view field) { return resource.at(field).as_string(); };
  return {text("verb"),        text("group"),     text("version"), text("resource"),
          text("subresource"), text("namespace"), text("name"),    {}};
}

}  // namespace

Result<Value> Reviews::answer(const Call& call, Value review, WallTime now) const {
  std::string_view kind = call.resource->kind;
  const Value& spec = review.at("spec");
  if (kind == "TokenReview") {
    if (spec.at("token").as_string().empty()) {
      return make_error(Reason::kBadRequest, "token is required for TokenReview in authentication");
    }
    review.set("status", review_token(spec, now));
  } else if (kind == "SelfSubjectReview") {
    review.set("status", Value::object({{"userInfo", user_info(call.identity)}}));
  } else if (kind == "SelfSubjectRulesReview") {
    STEAD_TRY(status, review_rules(call, spec));
    review.set("status", std::move(status));
  } else {
    STEAD_TRY(status, review_access(call, review));
    review.set("status", std::move(status));
  }
  return review;
}

Value Reviews::review_token(const Value& spec, WallTime now) const {
  std::vector<std::string> audiences = texts_of(spec.at("audiences"));
  if (audiences.empty()) audiences.push_back(audience_);
  Result<TokenIdentity> found = authenticator_.review_token(spec.at("token").as_string(), audiences, now);
  if (!found.ok()) return Value::object({{"user", Value::object()}, {"error", found.error().message}});
  return Value::object(
      {{"authenticated", true}, {"user", user_info(found->identity)}, {"audiences", list_of(found->audiences)}});
}

Result<Value> Reviews::review_access(const Call& call, const Value& review) const {
  const Value& spec = review.at("spec");
  bool self = call.resource->kind == "SelfSubjectAccessReview";
  FieldErrors errors;
  validate_access(call, spec, self, errors);
  if (!errors.empty()) return errors.to_error(call.resource->group, call.resource->kind, "");
  client::Identity identity = self ? call.identity : read_user(spec);
  Authorizer::Decision decision = authorizer_.decide(identity, read_attributes(spec));
  Value status = Value::object({{"allowed", decision.allowed}});
  if (!decision.reason.empty()) status.set("reason", decision.reason);
  return status;
}

Result<Value> Reviews::review_rules(const Call& call, const Value& spec) const {
  std::string_view ns = spec.at("namespace").as_string();
  if (ns.empty()) return make_error(Reason::kBadRequest, "no namespace on request");
  std::vector<std::string> problems;
  Value on_resources = Value::array();
  Value on_paths = Value::array();
  for (const PolicyRule& rule : authorizer_.rules_for(call.identity, ns, &problems)) {
    Value& list = rule.urls.empty() ? on_resources : on_paths;
    Value written = write_rule(rule);
    auto told = list.items();
    // Administrators have everything by their group and by its binding.
    if (std::find(told.begin(), told.end(), written) == told.end()) list.append(std::move(written));
  }
  Value status = Value::object({{"resourceRules", std::move(on_resources)},
                                {"nonResourceRules", std::move(on_paths)},
                                {"incomplete", !problems.empty()}});
  if (!problems.empty()) status.set("evaluationError", fmt::format("{}", fmt::join(problems, ", ")));
  return status;
}

}  // namespace stead::apiserver
