#include "http/signing_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/sha.h>

#include <array>

#include "http/pem.h"

namespace stead::http {
namespace {

constexpr size_t kNumberBytes = 32;
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

using NumberPtr = std::unique_ptr<BIGNUM, Release<BN_free>>;
using ContextPtr = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX_free>>;
using SignaturePtr = std::unique_ptr<ECDSA_SIG, Release<ECDSA_SIG_free>>;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string padded(const BIGNUM* number) {
  std::string bytes(kNumberBytes, '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), kNumberBytes);
  return bytes;
}

std::string coordinate(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) return {};
  NumberPtr owned(number);
  return padded(number);
}

std::string public_der(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  int length = i2d_PUBKEY(key, &der);
  if (length <= 0) return {};
  std::string text(reinterpret_cast<char*>(der), static_cast<size_t>(length));
  OPENSSL_free(der);
  return text;
}

}  // namespace

std::string sha256(std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(bytes_of(bytes), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

std::string encode_base64url(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  uint32_t bits = 0;
  int held = 0;
  for (char c : bytes) {
    bits = (bits << 8) | static_cast<uint8_t>(c);
    for (held += 8; held >= 6; held -= 6) text += kAlphabet[(bits >> (held - 6)) & 63];
  }
  if (held > 0) text += kAlphabet[(bits << (6 - held)) & 63];
  return text;
}

std::optional<std::string> decode_base64url(std::string_view text) {
  static const std::array<int8_t, 256> kValues = [] {
    std::array<int8_t, 256> values;
    values.fill(-1);
    for (size_t i = 0; i < kAlphabet.size(); ++i) values[static_cast<uint8_t>(kAlphabet[i])] = static_cast<int8_t>(i);
    return values;
  }();
  while (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  uint32_t bits = 0;
  int held = 0;
  for (char c : text) {
    int8_t value = kValues[static_cast<uint8_t>(c)];
    if (value < 0) return std::nullopt;
    bits = (bits << 6) | static_cast<uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes += static_cast<char>((bits >> held) & 0xff);
    }
  }
  return bytes;
}

Result<std::string> SigningKey::generate() {
  KeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  if (!key) return make_error(Reason::kInternal, "cannot make a P-256 key");
  return write_key(key.get());
}

Result<std::shared_ptr<const SigningKey>> SigningKey::from_pem(const std::string& pem) {
  STEAD_TRY(read, read_key(pem));
  std::shared_ptr<SigningKey> made(new SigningKey);
  made->key_ = std::shared_ptr<EVP_PKEY>(read.release(), EVP_PKEY_free);
  made->x_ = coordinate(made->key_.get(), OSSL_PKEY_PARAM_EC_PUB_X);
  made->y_ = coordinate(made->key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y);
  char group[64] = {};
  bool named = EVP_PKEY_get_group_name(made->key_.get(), group, sizeof group, nullptr) == 1;
  if (!named || std::string_view(group) != "prime256v1" || made->x_.empty() || made->y_.empty()) {
    return make_error(Reason::kBadRequest, "not a P-256 key");
  }
  made->id_ = encode_base64url(sha256(public_der(made->key_.get())));
  return std::shared_ptr<const SigningKey>(std::move(made));
}

Result<std::string> SigningKey::sign(std::string_view text) const {
  ContextPtr context(EVP_MD_CTX_new());
  size_t length = 0;
  bool fine = EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
              EVP_DigestSign(context.get(), nullptr, &length, bytes_of(text), text.size()) == 1;
  std::string der(length, '\0');
  fine = fine && EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(der.data()), &length, bytes_of(text),
                                text.size()) == 1;
  const unsigned char* at = bytes_of(der);
  SignaturePtr signature(fine ? d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(length)) : nullptr);
  if (!signature) return make_error(Reason::kInternal, "cannot sign");
  return padded(ECDSA_SIG_get0_r(signature.get())) + padded(ECDSA_SIG_get0_s(signature.get()));
}

bool SigningKey::verify(std::string_view text, std::string_view signature) const {
  if (signature.size() != 2 * kNumberBytes) return false;
  SignaturePtr numbers(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(bytes_of(signature), kNumberBytes, nullptr);
  BIGNUM* s = BN_bin2bn(bytes_of(signature) + kNumberBytes, kNumberBytes, nullptr);
  ECDSA_SIG_set0(numbers.get(), r, s);
  unsigned char* der = nullptr;
  int length = i2d_ECDSA_SIG(numbers.get(), &der);
  if (length <= 0) return false;
  ContextPtr context(EVP_MD_CTX_new());
  bool fine = EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
              EVP_DigestVerify(context.get(), der, static_cast<size_t>(length), bytes_of(text), text.size()) == 1;
  OPENSSL_free(der);
  return fine;
}

}  // namespace stead::http
