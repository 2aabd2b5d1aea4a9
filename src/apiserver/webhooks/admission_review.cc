#include "apiserver/webhooks/admission_review.h"

#include <fmt/format.h>

#include "apiserver/document.h"
#include "apiserver/webhooks/request_match.h"
#include "object/base64.h"
#include "object/codec.h"

namespace stead::apiserver {
namespace {

using object::Value;

constexpr size_t kWarningsMax = 32;
constexpr size_t kWarningBytesMax = 4096;

Value group_version(std::string_view group, std::string_view version, std::string_view name, std::string_view what) {
  return Value::object({{"group", group}, {"version", version}, {name, what}});
}

Value kind_of(const AdmissionAttributes& attributes, const kinds::Version& version) {
  if (!attributes.subresource_kind) {
    return group_version(version.group, version.name, "kind", attributes.call->resource->kind);
  }
  const Value& document = attributes.object.is_null() ? attributes.old : attributes.object;
  std::string_view api_version = document.at("apiVersion").as_string();
  size_t slash = api_version.find('/');
  if (slash == std::string_view::npos) return group_version("", api_version, "kind", document.at("kind").as_string());
  return group_version(api_version.substr(0, slash), api_version.substr(slash + 1), "kind",
                       document.at("kind").as_string());
}

Value user_info(const client::Identity& identity) {
  Value groups = Value::array();
  for (const std::string& group : identity.groups) groups.append(group);
  Value user = Value::object({{"username", identity.user}, {"groups", std::move(groups)}});
  if (!identity.uid.empty()) user.set("uid", identity.uid);
  for (const auto& [name, texts] : identity.extra) {
    Value list = Value::array();
    for (const std::string& text : texts) list.append(text);
    user["extra"].set(name, std::move(list));
  }
  return user;
}

Value options_of(const AdmissionAttributes& attributes) {
  // Those of a connection are its object.
  if (attributes.operation == Operation::kConnect) return {};
  const client::Request& request = attributes.call->request;
  std::string_view kind = "CreateOptions";
  if (attributes.operation == Operation::kUpdate) kind = "UpdateOptions";
  if (request.verb == client::Verb::kPatch) kind = "PatchOptions";
  Value options = Value::object();
  if (attributes.operation == Operation::kDelete) {
    kind = "DeleteOptions";
    if (request.body.is_object()) options = request.body;
  } else {
    if (!request.field_manager.empty()) options.set("fieldManager", request.field_manager);
    if (!request.field_validation.empty()) options.set("fieldValidation", request.field_validation);
    if (request.force) options.set("force", true);
  }
  if (request.dry_run) options.set("dryRun", Value::array({"All"}));
  options.set("kind", kind);
  options.set("apiVersion", "meta.k8s.io/v1");
  return options;
}

Reason reason_of_code(int64_t code) {
  switch (code) {
    case 401:
      return Reason::kUnauthorized;
    case 403:
      return Reason::kForbidden;
    case 404:
      return Reason::kNotFound;
    case 409:
      return Reason::kConflict;
    case 422:
      return Reason::kInvalid;
    case 429:
      return Reason::kTooManyRequests;
    case 500:
      return Reason::kInternal;
    default:
      return Reason::kBadRequest;
  }
}

Error denied(const Webhook& webhook, Value status) {
  const std::string denied_by = fmt::format("admission webhook \"{}\" denied the request", webhook.name);
  std::string_view message = status.at("message").as_string();
  std::string_view reason = status.at("reason").as_string();
  if (message.empty()) message = reason;
  std::string text = message.empty() ? denied_by + " without explanation" : fmt::format("{}: {}", denied_by, message);
  // No rejection with a code of success.
  int64_t code = status.at("code").as_int();
  if (code < 400 || code > 599) code = 400;
  Error error = make_error(reason_of_code(code), std::move(text));
  Value kept = Value::object({{"code", code}});
  if (!reason.empty()) kept.set("reason", reason);
  if (status.at("details").is_object()) kept.set("details", status.at("details"));
  error.causes.push_back({std::string(kStatusCause), object::to_json(kept), ""});
  return error;
}

Result<Value> patch_of(const Value& response) {
  const Value* encoded = response.find("patch");
  if (encoded == nullptr || encoded->as_string().empty()) return Value();
  if (response.at("patchType").as_string() != "JSONPatch") {
    return make_error(Reason::kInternal, fmt::format("webhook returned an unsupported patch type \"{}\", must be "
                                                     "JSONPatch",
                                                     response.at("patchType").as_string()));
  }
  STEAD_TRY(text, object::decode_base64(encoded->as_string()));
  return object::parse_json(text);
}

}  // namespace

Value in_version(const AdmissionAttributes& attributes, const kinds::Version& version, const Value& hub) {
  if (hub.is_null() || attributes.subresource_kind) return hub;
  return to_version(*attributes.call->resource, version, hub);
}

Value describe_request(const AdmissionAttributes& attributes, const kinds::Version& version) {
  const Call& call = *attributes.call;
  const std::string& subresource = call.request.subresource;
  Value request = Value::object();
  request.set("kind", kind_of(attributes, version));
  request.set("resource", group_version(version.group, version.name, "resource", call.resource->name));
  if (!subresource.empty()) request.set("subResource", subresource);
  request.set("requestKind", kind_of(attributes, *call.version));
  request.set("requestResource",
              group_version(call.version->group, call.version->name, "resource", call.resource->name));
  if (!subresource.empty()) request.set("requestSubResource", subresource);
  std::string_view name = object_name(attributes);
  if (!name.empty()) request.set("name", name);
  if (call.resource->namespaced) {
    request.set("namespace", call.request.ns);
  } else if (call.resource->group.empty() && call.resource->name == "namespaces") {
    request.set("namespace", name);
  }
  request.set("operation", operation_name(attributes.operation));
  request.set("userInfo", user_info(call.identity));
  request.set("dryRun", call.request.dry_run);
  request.set("options", options_of(attributes));
  return request;
}

Value make_review(const AdmissionAttributes& attributes, const Webhook& webhook, const kinds::Version& version,
                  const std::string& uid) {
  Value request = describe_request(attributes, version);
  request.set("uid", uid);
  request.set("object", in_version(attributes, version, attributes.object));
  request.set("oldObject", in_version(attributes, version, attributes.old));
  return Value::object({{"kind", "AdmissionReview"},
                        {"apiVersion", "admission.k8s.io/" + webhook.review_version},
                        {"request", std::move(request)}});
}

Result<ReviewAnswer> read_answer(const std::string& text, const Webhook& webhook, const std::string& uid) {
  auto bad = [](std::string why) { return make_error(Reason::kInternal, std::move(why)); };
  Result<Value> parsed = object::parse_json(text);
  if (!parsed.ok() || !parsed->is_object()) return bad("expected an AdmissionReview, got something that is no JSON");
  const Value& response = parsed->at("response");
  if (!response.is_object()) return bad("webhook response was absent");
  if (webhook.review_version == "v1") {
    if (parsed->at("kind").as_string() != "AdmissionReview" ||
        parsed->at("apiVersion").as_string() != "admission.k8s.io/v1") {
      return bad(fmt::format("expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got {}, Kind={}",
                             parsed->at("apiVersion").as_string(), parsed->at("kind").as_string()));
    }
    if (response.at("uid").as_string() != uid) {
      return bad(fmt::format("expected response.uid=\"{}\", got \"{}\"", uid, response.at("uid").as_string()));
    }
  }
  ReviewAnswer answer;
  for (const Value& warning : response.at("warnings").items()) {
    if (answer.warnings.size() == kWarningsMax) break;
    answer.warnings.emplace_back(warning.as_string().substr(0, kWarningBytesMax));
  }
  if (!response.at("allowed").as_bool()) {
    answer.denial = denied(webhook, response.at("status"));
    return answer;
  }
  if (webhook.mutating) {
    Result<Value> patch = patch_of(response);
    if (!patch.ok()) return bad(patch.error().message);
    answer.patch = std::move(*patch);
  }
  return answer;
}

Error call_failed(const Webhook& webhook, std::string_view why) {
  return make_error(Reason::kInternal,
                    fmt::format("Internal error occurred: failed calling webhook \"{}\": {}", webhook.name, why));
}

}  // namespace stead::apiserver
