#pragma once

// PEM text to and from OpenSSL's objects, and what those say.

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace stead::http {

template <auto release>
struct Release {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};
using CertificatePtr = std::unique_ptr<X509, Release<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;

// For OpenSSL's readers of PEM, which would ask the terminal: what is encrypted is refused, nobody is there to type.
int no_passphrase(char* text, int size, int for_writing, void* context);

// All certificates in `pem`, at least one. kBadRequest otherwise.
Result<std::vector<CertificatePtr>> read_certificates(const std::string& pem);
Result<KeyPtr> read_key(const std::string& pem);
std::string write_certificate(X509* certificate);
std::string write_key(EVP_PKEY* key);  // PKCS #8

// The texts of one kind (NID_commonName, …) in a subject or issuer, in order.
std::vector<std::string> name_entries(X509_NAME* name, int nid);

}  // namespace stead::http
