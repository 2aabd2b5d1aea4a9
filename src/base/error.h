#pragma once

// What went wrong, in the vocabulary of the Kubernetes API (meta/v1 Status reasons), so that an error made on
// the lowest floor reaches the client without translation tables in between. One file of the API server maps
// reasons to HTTP codes.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stead {

enum class Reason : uint8_t {
  kInvalid,                // 422, with causes: the object breaks a rule
  kBadRequest,             // 400: the request cannot be understood
  kUnauthorized,           // 401
  kForbidden,              // 403
  kNotFound,               // 404
  kMethodNotAllowed,       // 405
  kNotAcceptable,          // 406
  kAlreadyExists,          // 409
  kConflict,               // 409: a resourceVersion, uid or field-manager precondition failed
  kGone,                   // 410
  kExpired,                // 410: the resourceVersion or continue token is too old; relist
  kRequestEntityTooLarge,  // 413
  kUnsupportedMediaType,   // 415
  kTooManyRequests,        // 429
  kInternal,               // 500: a defect or an unexpected failure of the environment
  kNotImplemented,         // 501
  kUnavailable,            // 503: try again later
  kTimeout,                // 504
};

// The name of a reason as Status.reason spells it ("Invalid", "NotFound", …).
std::string_view reason_name(Reason reason);

// One violated rule: Status.details.causes[]. `reason` is one of Kubernetes' cause types
// ("FieldValueRequired", "FieldValueInvalid", "FieldValueDuplicate", "FieldValueNotSupported", …).
struct Cause {
  std::string reason;
  std::string message;
  std::string field;
};

// An error is a value: copyable, comparable by reason, never thrown.
struct Error {
  Reason reason = Reason::kInternal;
  std::string message;
  std::vector<Cause> causes;
  // Status.details: what the error is about. Empty where unknown.
  std::string group;
  std::string kind;
  std::string name;
  int retry_after_seconds = 0;

  // The same error with `context: ` before its message.
  Error with_context(std::string_view context) const;
};

Error make_error(Reason reason, std::string message);

// An Error for a failed system call: "<what>: <strerror(errno_value)>", reason kInternal.
Error errno_error(std::string_view what, int errno_value);

}  // namespace stead
