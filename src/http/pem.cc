#include "http/pem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace stead::http {
namespace {

using BioPtr = std::unique_ptr<BIO, Release<BIO_free_all>>;

BioPtr reader_of(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string text_of(const BioPtr& bio) {
  char* data = nullptr;
  long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

}  // namespace

int no_passphrase(char*, int, int, void*) { return -1; }

Result<std::vector<CertificatePtr>> read_certificates(const std::string& pem) {
  BioPtr bio = reader_of(pem);
  std::vector<CertificatePtr> certificates;
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)) {
    certificates.emplace_back(certificate);
  }
  // The end of the text, too, is reported as an error: no further start line.
  bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (certificates.empty()) return make_error(Reason::kBadRequest, "no PEM certificate found");
  if (!at_end) return make_error(Reason::kBadRequest, "malformed PEM certificate");
  return certificates;
}

Result<KeyPtr> read_key(const std::string& pem) {
  BioPtr bio = reader_of(pem);
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (!key) return make_error(Reason::kBadRequest, "no usable PEM private key found");
  return key;
}

std::string write_certificate(X509* certificate) {
  BioPtr bio(BIO_new(BIO_s_mem()));
  STEAD_CHECK(PEM_write_bio_X509(bio.get(), certificate) == 1);
  return text_of(bio);
}

std::string write_key(EVP_PKEY* key) {
  BioPtr bio(BIO_new(BIO_s_mem()));
  STEAD_CHECK(PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return text_of(bio);
}

std::vector<std::string> name_entries(X509_NAME* name, int nid) {
  std::vector<std::string> texts;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(name, nid, at)) >= 0;) {
    unsigned char* text = nullptr;
    int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (size < 0) continue;
    texts.emplace_back(reinterpret_cast<char*>(text), static_cast<size_t>(size));
    OPENSSL_free(text);
  }
  return texts;
}

}  // namespace stead::http
