#include "base/error.h"

#include <system_error>

namespace stead {

std::string_view reason_name(Reason reason) {
  switch (reason) {
    case Reason::kInvalid:
      return "Invalid";
    case Reason::kBadRequest:
      return "BadRequest";
    case Reason::kUnauthorized:
      return "Unauthorized";
    case Reason::kForbidden:
      return "Forbidden";
    case Reason::kNotFound:
      return "NotFound";
    case Reason::kMethodNotAllowed:
      return "MethodNotAllowed";
    case Reason::kNotAcceptable:
      return "NotAcceptable";
    case Reason::kAlreadyExists:
      return "AlreadyExists";
    case Reason::kConflict:
      return "Conflict";
    case Reason::kGone:
      return "Gone";
    case Reason::kExpired:
      return "Expired";
    case Reason::kRequestEntityTooLarge:
      return "RequestEntityTooLarge";
    case Reason::kUnsupportedMediaType:
      return "UnsupportedMediaType";
    case Reason::kTooManyRequests:
      return "TooManyRequests";
    case Reason::kInternal:
      return "InternalError";
    case Reason::kNotImplemented:
      return "NotImplemented";
    case Reason::kUnavailable:
      return "ServiceUnavailable";
    case Reason::kTimeout:
      return "Timeout";
  }
  return "Unknown";
}

Error Error::with_context(std::string_view context) const {
  Error copy = *this;
  copy.message = std::string(context) + ": " + message;
  return copy;
}

Error make_error(Reason reason, std::string message) {
  Error error;
  error.reason = reason;
  error.message = std::move(message);
  return error;
}

Error errno_error(std::string_view what, int errno_value) {
  return make_error(Reason::kInternal, std::string(what) + ": " + std::generic_category().message(errno_value));
}

}  // namespace stead
