#include "apiserver/front_end/status_document.h"

#include "apiserver/continue_token.h"
#include "apiserver/webhooks/admission_review.h"
#include "object/codec.h"

namespace stead::apiserver {

using object::Value;

namespace {

// An error that came from elsewhere has its own reason (or none), details and code.
bool take_own_status(const Error& error, Value& status) {
  for (const Cause& cause : error.causes) {
    if (cause.reason != kStatusCause) continue;
    Result<Value> own = object::parse_json(cause.message);
    if (!own.ok()) return false;
    for (std::string_view name : {"reason", "details"}) {
      status.erase(name);
      if (const Value* told = own->find(name)) status.set(name, *told);
    }
    status.set("code", own->at("code"));
    return true;
  }
  return false;
}

}  // namespace

int http_code(Reason reason) {
  switch (reason) {
    case Reason::kInvalid:
      return 422;
    case Reason::kBadRequest:
      return 400;
    case Reason::kUnauthorized:
      return 401;
    case Reason::kForbidden:
      return 403;
    case Reason::kNotFound:
      return 404;
    case Reason::kMethodNotAllowed:
      return 405;
    case Reason::kNotAcceptable:
      return 406;
    case Reason::kAlreadyExists:
    case Reason::kConflict:
      return 409;
    case Reason::kGone:
    case Reason::kExpired:
      return 410;
    case Reason::kRequestEntityTooLarge:
      return 413;
    case Reason::kUnsupportedMediaType:
      return 415;
    case Reason::kTooManyRequests:
      return 429;
    case Reason::kInternal:
      return 500;
    case Reason::kNotImplemented:
      return 501;
    case Reason::kUnavailable:
      return 503;
    case Reason::kTimeout:
      return 504;
  }
  return 500;
}

Value status_document(const Error& error) {
  Value status = Value::object({{"kind", "Status"},
                                {"apiVersion", "v1"},
                                {"metadata", Value::object()},
                                {"status", "Failure"},
                                {"message", error.message},
                                {"reason", reason_name(error.reason)}});
  if (take_own_status(error, status)) return status;
  Value details = Value::object();
  if (!error.name.empty()) details.set("name", error.name);
  if (!error.group.empty()) details.set("group", error.group);
  if (!error.kind.empty()) details.set("kind", error.kind);
  for (const Cause& cause : error.causes) {
    if (cause.reason == kContinueCause) {
      status.set({"metadata", "continue"}, cause.message);
      continue;
    }
    Value item = Value::object({{"reason", cause.reason}, {"message", cause.message}});
    if (!cause.field.empty()) item.set("field", cause.field);
    details["causes"].append(std::move(item));
  }
  if (error.retry_after_seconds > 0) details.set("retryAfterSeconds", error.retry_after_seconds);
  // kubectl debug reads the details of a NotFound without asking whether there are any.
  if (!details.empty() || error.reason == Reason::kNotFound) status.set("details", std::move(details));
  status.set("code", http_code(error.reason));
  return status;
}

Value success_document(const std::string& group, const std::string& resource, const std::string& name,
                       const std::string& uid) {
  Value details = Value::object({{"name", name}});
  if (!group.empty()) details.set("group", group);
  details.set("kind", resource);
  details.set("uid", uid);
  return Value::object({{"kind", "Status"},
                        {"apiVersion", "v1"},
                        {"metadata", Value::object()},
                        {"status", "Success"},
                        {"details", std::move(details)}});
}

http::Response error_response(const Error& error) {
  Value status = status_document(error);
  http::Response response = http::Response::text(static_cast<int>(status.at("code").as_int()),
                                                 object::to_json(status) + "\n", "application/json");
  if (error.retry_after_seconds > 0) {
    response.headers.emplace_back("Retry-After", std::to_string(error.retry_after_seconds));
  }
  return response;
}

}  // namespace stead::apiserver
