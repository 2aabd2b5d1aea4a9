// The certificate and key of a Secret, checked by the TLS library that HAProxy uses too: one that it refuses would keep
// HAProxy from taking any configuration.

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "http/pem.h"
#include "network/ingress/route_policy.h"
#include "object/base64.h"

namespace stead::network::ingress {
namespace {

using ContextPtr = std::unique_ptr<SSL_CTX, http::Release<SSL_CTX_free>>;

Error tls_error(std::string_view what) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return make_error(Reason::kInvalid, std::string(what) + ": " + (reason == nullptr ? "refused" : reason));
}

Result<std::string> text_of(const object::Object& secret, std::string_view name) {
  const object::Value& data = secret.document().at({"data", name});
  if (data.as_string().empty()) return make_error(Reason::kInvalid, std::string(name) + " is missing");
  auto text = object::decode_base64(data.as_string());
  if (!text.ok()) return make_error(Reason::kInvalid, std::string(name) + " is no base64 text");
  return *text;
}

}  // namespace

Result<std::string> read_certificate(const object::Object& secret) {
  STEAD_TRY(certificate_text, text_of(secret, "tls.crt"));
  STEAD_TRY(key_text, text_of(secret, "tls.key"));
  auto certificates = http::read_certificates(certificate_text);
  if (!certificates.ok()) return make_error(Reason::kInvalid, "tls.crt holds no certificate");
  auto key = http::read_key(key_text);
  if (!key.ok()) return make_error(Reason::kInvalid, "tls.key holds no private key");
  ERR_clear_error();
  ContextPtr context(SSL_CTX_new(TLS_server_method()));
  if (!context) return tls_error("TLS");
  std::string pem;
  for (size_t i = 0; i < certificates->size(); ++i) {
    X509* certificate = (*certificates)[i].get();
    const bool taken = i == 0 ? SSL_CTX_use_certificate(context.get(), certificate) == 1
                              : SSL_CTX_add1_chain_cert(context.get(), certificate) == 1;
    if (!taken) return tls_error("tls.crt");
    pem += http::write_certificate(certificate);
  }
  if (SSL_CTX_use_PrivateKey(context.get(), key->get()) != 1 || SSL_CTX_check_private_key(context.get()) != 1) {
    return tls_error("tls.key");
  }
  return pem + http::write_key(key->get());
}

}  // namespace stead::network::ingress
