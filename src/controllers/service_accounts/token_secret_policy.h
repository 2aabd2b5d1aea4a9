#pragma once

// What becomes of a secret of type kubernetes.io/service-account-token. Pure.

#include "client/plan.h"
#include "controllers/requests.h"

namespace stead::controllers::service_accounts {

// The account that the secret's token is of; empty for secrets of other types.
std::string_view account_of(const object::Object& secret);

// `account` is the one of that name, or null. A secret whose account is gone, or another one by now, is deleted; a
// young one is looked at again later, as its account may be about to be made. One without a token is marked with its
// account, and so gets one.
client::Plan decide(const object::Object& secret, const ObjectPtr& account, WallTime now);

}  // namespace stead::controllers::service_accounts
