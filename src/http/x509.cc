#include "http/x509.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "http/pem.h"

namespace stead::http {
namespace {

using NumberPtr = std::unique_ptr<BIGNUM, Release<BN_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Release<GENERAL_NAMES_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Release<X509_EXTENSION_free>>;

// Certificates hold from a little before `now`, for readers whose clocks run behind.
constexpr std::chrono::minutes kClockSkew{5};

Error openssl_error(const std::string& what) {
  char text[256] = "unknown error";
  unsigned long code = ERR_peek_error();
  if (code != 0) ERR_error_string_n(code, text, sizeof(text));
  ERR_clear_error();
  return make_error(Reason::kInternal, what + ": " + text);
}

// Added as UTF-8 as it is: the bound of 64 characters that X.520 puts on names, and that OpenSSL enforces for other
// types, is shorter than Kubernetes user names may be (system:node:<253 characters>).
bool add_name(X509_NAME* name, int nid, const std::string& text) {
  return X509_NAME_add_entry_by_NID(name, nid, V_ASN1_UTF8STRING, reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

// RFC 5280 section 4.1.2.2: positive, at most 20 octets. 126 random bits and one set bit above them.
bool set_serial(X509* certificate) {
  NumberPtr number(BN_new());
  return BN_rand(number.get(), 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_times(X509* certificate, WallTime now, std::chrono::hours valid_for) {
  time_t begin = std::chrono::system_clock::to_time_t(now - kClockSkew);
  time_t end = std::chrono::system_clock::to_time_t(now + valid_for);
  return ASN1_TIME_set(X509_getm_notBefore(certificate), begin) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), end) != nullptr;
}

// `value` in OpenSSL's configuration syntax; only for constants.
bool add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

Result<void> add_alternative(GENERAL_NAMES* names, int type, const std::string& data) {
  ASN1_STRING* text = ASN1_STRING_type_new(type == GEN_DNS ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING);
  ASN1_STRING_set(text, data.data(), static_cast<int>(data.size()));
  GENERAL_NAME* name = GENERAL_NAME_new();
  GENERAL_NAME_set0_value(name, type, text);
  if (sk_GENERAL_NAME_push(names, name) <= 0) {
    GENERAL_NAME_free(name);
    return openssl_error("subject alternative names");
  }
  return {};
}

Result<void> add_alternatives(X509* certificate, const LeafRequest& request) {
  if (request.dns_names.empty() && request.ip_addresses.empty()) return {};
  NamesPtr names(GENERAL_NAMES_new());
  for (const std::string& dns_name : request.dns_names) {
    STEAD_TRY_VOID(add_alternative(names.get(), GEN_DNS, dns_name));
  }
  for (const std::string& address : request.ip_addresses) {
    char bytes[16];
    size_t size = inet_pton(AF_INET, address.c_str(), bytes) == 1    ? 4
                  : inet_pton(AF_INET6, address.c_str(), bytes) == 1 ? 16
                                                                     : 0;
    if (size == 0) return make_error(Reason::kBadRequest, "ip_addresses: \"" + address + "\" is not an IP address");
    STEAD_TRY_VOID(add_alternative(names.get(), GEN_IPADD, std::string(bytes, size)));
  }
  if (X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) != 1) {
    return openssl_error("subject alternative names");
  }
  return {};
}

Result<KeyPair> sign(const CertificatePtr& certificate, const KeyPtr& key, EVP_PKEY* issuer_key) {
  if (X509_sign(certificate.get(), issuer_key, EVP_sha256()) == 0) return openssl_error("sign certificate");
  return KeyPair{write_certificate(certificate.get()), write_key(key.get())};
}

const char* extended_usage(const LeafRequest& request) {
  if (request.server && request.client) return "serverAuth,clientAuth";
  if (request.server) return "serverAuth";
  return request.client ? "clientAuth" : nullptr;
}

}  // namespace

Result<KeyPair> make_ca(const std::string& common_name, WallTime now, std::chrono::hours valid_for) {
  KeyPtr key(EVP_EC_gen("P-256"));
  CertificatePtr certificate(X509_new());
  X509* raw = certificate.get();
  bool made = key && raw && X509_set_version(raw, X509_VERSION_3) == 1 && set_serial(raw) &&
              set_times(raw, now, valid_for) && X509_set_pubkey(raw, key.get()) == 1 &&
              add_name(X509_get_subject_name(raw), NID_commonName, common_name) &&
              X509_set_issuer_name(raw, X509_get_subject_name(raw)) == 1 &&
              add_extension(raw, raw, NID_basic_constraints, "critical,CA:TRUE") &&
              add_extension(raw, raw, NID_key_usage, "critical,digitalSignature,keyCertSign,cRLSign") &&
              add_extension(raw, raw, NID_subject_key_identifier, "hash");
  if (!made) return openssl_error("make CA");
  return sign(certificate, key, key.get());
}

Result<KeyPair> issue(const KeyPair& ca, const LeafRequest& request, WallTime now) {
  STEAD_TRY(authorities, read_certificates(ca.certificate_pem));
  STEAD_TRY(ca_key, read_key(ca.key_pem));
  X509* authority = authorities[0].get();
  KeyPtr key(EVP_EC_gen("P-256"));
  CertificatePtr certificate(X509_new());
  X509* raw = certificate.get();
  bool made = key && raw && X509_set_version(raw, X509_VERSION_3) == 1 && set_serial(raw) &&
              set_times(raw, now, request.valid_for) && X509_set_pubkey(raw, key.get()) == 1 &&
              X509_set_issuer_name(raw, X509_get_subject_name(authority)) == 1;
  X509_NAME* subject = X509_get_subject_name(raw);
  for (const std::string& organization : request.organizations) {
    made = made && add_name(subject, NID_organizationName, organization);
  }
  made = made && (request.common_name.empty() || add_name(subject, NID_commonName, request.common_name)) &&
         add_extension(raw, authority, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(raw, authority, NID_key_usage, "critical,digitalSignature,keyEncipherment") &&
         add_extension(raw, authority, NID_subject_key_identifier, "hash") &&
         add_extension(raw, authority, NID_authority_key_identifier, "keyid:always");
  if (const char* usage = extended_usage(request); usage && made) {
    made = add_extension(raw, authority, NID_ext_key_usage, usage);
  }
  if (!made) return openssl_error("issue certificate");
  STEAD_TRY_VOID(add_alternatives(raw, request));
  return sign(certificate, key, ca_key.get());
}

Result<WallTime> not_after(const std::string& certificate_pem) {
  STEAD_TRY(certificates, read_certificates(certificate_pem));
  std::tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificates[0].get()), &end) != 1) {
    ERR_clear_error();
    return make_error(Reason::kBadRequest, "certificate: malformed notAfter");
  }
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::from_time_t(timegm(&end)));
}

Result<std::vector<std::string>> alternative_names(const std::string& certificate_pem) {
  STEAD_TRY(certificates, read_certificates(certificate_pem));
  std::vector<std::string> texts;
  NamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificates[0].get(), NID_subject_alt_name, nullptr, nullptr)));
  for (int at = 0; names && at < sk_GENERAL_NAME_num(names.get()); ++at) {
    int type = 0;
    auto* value = static_cast<ASN1_STRING*>(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), at), &type));
    if (type != GEN_DNS && type != GEN_IPADD) continue;
    const unsigned char* data = ASN1_STRING_get0_data(value);
    int size = ASN1_STRING_length(value);
    if (type == GEN_DNS) {
      texts.emplace_back(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
    } else {
      char text[INET6_ADDRSTRLEN];
      if (inet_ntop(size == 4 ? AF_INET : AF_INET6, data, text, sizeof(text))) texts.emplace_back(text);
    }
  }
  return texts;
}

}  // namespace stead::http
