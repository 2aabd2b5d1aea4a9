#pragma once

// Rules of certificate signing requests.

#include "kinds/rules.h"

namespace stead::kinds {

KindRules certificate_signing_request_rules();

}  // namespace stead::kinds
