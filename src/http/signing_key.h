#pragma once

// A P-256 key that signs texts as JSON Web Signatures do (ES256, RFC 7518 section 3.4). Immutable, any thread.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

struct evp_pkey_st;

namespace stead::http {

class SigningKey {
 public:
  // A new private key as PEM text (PKCS #8).
  static Result<std::string> generate();
  // kBadRequest if `pem` holds no private P-256 key.
  static Result<std::shared_ptr<const SigningKey>> from_pem(const std::string& pem);

  // 64 bytes: R and S.
  Result<std::string> sign(std::string_view text) const;
  bool verify(std::string_view text, std::string_view signature) const;

  // SHA-256 of the public key's DER form, base64url: the "kid" of tokens and key sets.
  const std::string& id() const { return id_; }
  // The public point's coordinates, 32 bytes each.
  const std::string& x() const { return x_; }
  const std::string& y() const { return y_; }

 private:
  SigningKey() = default;
  std::shared_ptr<evp_pkey_st> key_;
  std::string id_, x_, y_;
};

// Base64 with the alphabet for URLs and without padding (RFC 4648 section 5).
std::string encode_base64url(std::string_view bytes);
// nullopt if it is none; padding is accepted.
std::optional<std::string> decode_base64url(std::string_view text);

std::string sha256(std::string_view bytes);

}  // namespace stead::http
