#include "node/server/refusal.h"

#include "object/codec.h"

namespace stead::node {
namespace {

using object::Value;

// The reasons that the node part gives.
int code_of(Reason reason) {
  switch (reason) {
    case Reason::kBadRequest:
      return 400;
    case Reason::kNotFound:
      return 404;
    case Reason::kMethodNotAllowed:
      return 405;
    case Reason::kInvalid:
      return 422;
    case Reason::kNotImplemented:
      return 501;
    case Reason::kUnavailable:
      return 503;
    case Reason::kTimeout:
      return 504;
    default:
      return 500;
  }
}

}  // namespace

http::Response refusal(const Error& error) {
  int code = code_of(error.reason);
  std::string_view reason = code == 500 ? reason_name(Reason::kInternal) : reason_name(error.reason);
  Value status = Value::object({{"kind", "Status"},
                                {"apiVersion", "v1"},
                                {"metadata", Value::object()},
                                {"status", "Failure"},
                                {"message", error.message},
                                {"reason", reason},
                                {"code", code}});
  if (!error.kind.empty()) status.set({"details", "kind"}, error.kind);
  if (!error.name.empty()) status.set({"details", "name"}, error.name);
  for (const Cause& cause : error.causes) {
    status["details"]["causes"].append(
        Value::object({{"reason", cause.reason}, {"message", cause.message}, {"field", cause.field}}));
  }
  return http::Response::text(code, object::to_json(status) + "\n", "application/json");
}

}  // namespace stead::node
