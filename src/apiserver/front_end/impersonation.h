#pragma once

// Acting as somebody else: the Impersonate-… headers, each of which needs the verb `impersonate`.

#include "apiserver/authorization/authorizer.h"
#include "http/http.h"

namespace stead::apiserver {

// The identity that the request is to be taken for: `caller`, or the one its headers name. kForbidden where the caller
// may not be that one, kBadRequest for headers that name nobody.
Result<client::Identity> impersonated(const Authorizer& authorizer, client::Identity caller,
                                      const http::Request& request);

}  // namespace stead::apiserver
