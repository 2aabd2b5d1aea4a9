#include "http/x509.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "http/pem.h"

namespace stead::http {
namespace {

using NumberPtr = std::unique_ptr<BIGNUM, Release<BN_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Release<GENERAL_NAMES_free>>;
using RequestPtr = std::unique_ptr<X509_REQ, Release<X509_REQ_free>>;
struct FreeExtensions {
  void operator()(STACK_OF(X509_EXTENSION) * stack) const { sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free); }
};
using ExtensionsPtr = std::unique_ptr<STACK_OF(X509_EXTENSION), FreeExtensions>;
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

bool set_times(X509* certificate, WallTime now, std::chrono::seconds valid_for) {
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

Result<NamesPtr> alternatives(const LeafRequest& request) {
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
  return names;
}

Result<void> add_alternatives(X509* certificate, const LeafRequest& request) {
  if (request.dns_names.empty() && request.ip_addresses.empty()) return {};
  STEAD_TRY(names, alternatives(request));
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

WallTime wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  ASN1_TIME_to_tm(time, &parts);
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::from_time_t(timegm(&parts)));
}

// The alternative names that a request asks for; null if none.
NamesPtr requested_names(X509_REQ* request, ExtensionsPtr& extensions) {
  extensions.reset(X509_REQ_get_extensions(request));
  if (!extensions) return nullptr;
  return NamesPtr(
      static_cast<GENERAL_NAMES*>(X509V3_get_d2i(extensions.get(), NID_subject_alt_name, nullptr, nullptr)));
}

// Empty where that many bytes are no address.
std::string address_text(const unsigned char* bytes, int size) {
  char text[INET6_ADDRSTRLEN];
  if (size != 4 && size != 16) return {};
  return inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, text, sizeof(text)) != nullptr ? text : "";
}

Result<RequestPtr> parse_request(const std::string& pem) {
  std::unique_ptr<BIO, Release<BIO_free_all>> input(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  RequestPtr request(PEM_read_bio_X509_REQ(input.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (!request) return make_error(Reason::kBadRequest, "not a PEM-encoded PKCS#10 certificate request");
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  if (key == nullptr || X509_REQ_verify(request.get(), key) != 1) {
    ERR_clear_error();
    return make_error(Reason::kBadRequest, "the request is not signed with its own key");
  }
  return request;
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

Result<RequestedKey> make_request(const LeafRequest& wanted) {
  KeyPtr key(EVP_EC_gen("P-256"));
  RequestPtr request(X509_REQ_new());
  X509_NAME* subject = X509_REQ_get_subject_name(request.get());
  bool made = key && X509_REQ_set_pubkey(request.get(), key.get()) == 1;
  for (const std::string& organization : wanted.organizations) {
    made = made && add_name(subject, NID_organizationName, organization);
  }
  made = made && add_name(subject, NID_commonName, wanted.common_name);
  if (!wanted.dns_names.empty() || !wanted.ip_addresses.empty()) {
    STEAD_TRY(names, alternatives(wanted));
    ExtensionsPtr extensions(sk_X509_EXTENSION_new_null());
    STACK_OF(X509_EXTENSION)* raw = extensions.get();
    made = made && X509V3_add1_i2d(&raw, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1 &&
           X509_REQ_add_extensions(request.get(), raw) == 1;
  }
  made = made && X509_REQ_sign(request.get(), key.get(), EVP_sha256()) > 0;
  std::unique_ptr<BIO, Release<BIO_free_all>> output(BIO_new(BIO_s_mem()));
  if (!made || PEM_write_bio_X509_REQ(output.get(), request.get()) != 1) return openssl_error("make request");
  char* text = nullptr;
  long size = BIO_get_mem_data(output.get(), &text);
  return RequestedKey{std::string(text, static_cast<size_t>(size)), write_key(key.get())};
}

Result<RequestFacts> read_request(const std::string& request_pem) {
  STEAD_TRY(request, parse_request(request_pem));
  RequestFacts facts;
  X509_NAME* subject = X509_REQ_get_subject_name(request.get());
  std::vector<std::string> names = name_entries(subject, NID_commonName);
  if (!names.empty()) facts.common_name = names.back();
  facts.organizations = name_entries(subject, NID_organizationName);
  ExtensionsPtr extensions;
  NamesPtr alternative = requested_names(request.get(), extensions);
  for (int at = 0; alternative && at < sk_GENERAL_NAME_num(alternative.get()); ++at) {
    int type = 0;
    auto* value =
        static_cast<ASN1_STRING*>(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(alternative.get(), at), &type));
    if (type != GEN_DNS && type != GEN_IPADD) {
      facts.other_names = true;
      continue;
    }
    const unsigned char* data = ASN1_STRING_get0_data(value);
    int size = ASN1_STRING_length(value);
    if (type == GEN_DNS) {
      facts.dns_names.emplace_back(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
    } else if (std::string address = address_text(data, size); !address.empty()) {
      facts.ip_addresses.push_back(std::move(address));
    } else {
      facts.other_names = true;
    }
  }
  return facts;
}

Result<std::string> sign_request(const KeyPair& ca, const std::string& request_pem, const SigningTerms& terms,
                                 WallTime now) {
  STEAD_TRY(request, parse_request(request_pem));
  STEAD_TRY(authorities, read_certificates(ca.certificate_pem));
  STEAD_TRY(ca_key, read_key(ca.key_pem));
  X509* authority = authorities[0].get();
  CertificatePtr certificate(X509_new());
  X509* raw = certificate.get();
  LeafRequest usage;
  usage.server = terms.server;
  usage.client = terms.client;
  const char* key_usage =
      terms.key_encipherment ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature";
  bool made = raw && X509_set_version(raw, X509_VERSION_3) == 1 && set_serial(raw) &&
              set_times(raw, now, terms.valid_for) && X509_set_pubkey(raw, X509_REQ_get0_pubkey(request.get())) == 1 &&
              X509_set_issuer_name(raw, X509_get_subject_name(authority)) == 1 &&
              X509_set_subject_name(raw, X509_REQ_get_subject_name(request.get())) == 1 &&
              add_extension(raw, authority, NID_basic_constraints, "critical,CA:FALSE") &&
              add_extension(raw, authority, NID_key_usage, key_usage) &&
              add_extension(raw, authority, NID_subject_key_identifier, "hash") &&
              add_extension(raw, authority, NID_authority_key_identifier, "keyid:always");
  if (const char* extended = extended_usage(usage); extended && made) {
    made = add_extension(raw, authority, NID_ext_key_usage, extended);
  }
  ExtensionsPtr extensions;
  NamesPtr names = requested_names(request.get(), extensions);
  if (made && names) made = X509_add1_ext_i2d(raw, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1;
  if (!made || X509_sign(raw, ca_key.get(), EVP_sha256()) == 0) return openssl_error("sign request");
  return write_certificate(raw);
}

Result<std::string> fingerprint(const std::string& certificate_pem) {
  STEAD_TRY(certificates, read_certificates(certificate_pem));
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (X509_digest(certificates[0].get(), EVP_sha256(), digest, &size) != 1) return openssl_error("digest");
  std::string hex;
  for (unsigned int at = 0; at < size; ++at) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex += kDigits[digest[at] >> 4];
    hex += kDigits[digest[at] & 15];
  }
  return hex;
}

Result<WallTime> not_before(const std::string& certificate_pem) {
  STEAD_TRY(certificates, read_certificates(certificate_pem));
  return wall_time(X509_get0_notBefore(certificates[0].get()));
}

Result<std::string> common_name_of(const std::string& certificate_pem) {
  STEAD_TRY(certificates, read_certificates(certificate_pem));
  std::vector<std::string> names = name_entries(X509_get_subject_name(certificates[0].get()), NID_commonName);
  return names.empty() ? std::string() : names.back();
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
    } else if (std::string address = address_text(data, size); !address.empty()) {
      texts.push_back(std::move(address));
    }
  }
  return texts;
}

}  // namespace stead::http
