#pragma once

// JSON Web Tokens (RFC 7519) signed with ES256. Pure, any thread.

#include <optional>
#include <string>
#include <string_view>

#include "http/signing_key.h"
#include "object/value.h"

namespace stead::apiserver {

using object::Value;

Result<std::string> sign_token(const http::SigningKey& key, const Value& claims);

// Without a look at the signature; nullopt for what has not the form of a token.
std::optional<Value> read_claims(std::string_view token);

// Whether `key` made the signature, and the header says so.
bool signed_by(const http::SigningKey& key, std::string_view token);

}  // namespace stead::apiserver
