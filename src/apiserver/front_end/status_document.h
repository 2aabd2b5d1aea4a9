#pragma once

// The one place where reasons meet HTTP: Error → meta/v1 Status.

#include <string>

#include "base/error.h"
#include "http/http.h"
#include "object/value.h"

namespace stead::apiserver {

int http_code(Reason reason);
object::Value status_document(const Error& error);
// Status "Success" of a finished delete.
object::Value success_document(const std::string& group, const std::string& resource, const std::string& name,
                               const std::string& uid);
http::Response error_response(const Error& error);

}  // namespace stead::apiserver
