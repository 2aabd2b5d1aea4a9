#pragma once

// Join tokens as people carry them: a bootstrap token and the fingerprint of the cluster's CA, so that the machine that
// joins knows the server as the server knows it:
//
//   abcdef.0123456789abcdef@sha256:<64 hex digits>
//
// Pure.

#include <string>

#include "base/result.h"

namespace stead::cli {

struct JoinToken {
  std::string id;           // 6 characters; the Secret is bootstrap-token-<id>
  std::string secret;       // 16
  std::string fingerprint;  // of the CA certificate (DER), SHA-256 in hex

  // kInvalid says what is wrong, without the secret.
  static Result<JoinToken> parse(const std::string& text);
  std::string bearer() const { return id + "." + secret; }
  std::string text() const { return bearer() + "@sha256:" + fingerprint; }
};

}  // namespace stead::cli
