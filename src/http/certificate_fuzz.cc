// Any PEM text: certificates, keys and certificate requests are read or refused, and all readers agree.

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "http/pem.h"
#include "http/signing_key.h"
#include "http/x509.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stead::http;
  std::string text(reinterpret_cast<const char*>(data), size);
  auto certificates = read_certificates(text);
  STEAD_CHECK(fingerprint(text).ok() == certificates.ok());
  if (certificates.ok()) {
    STEAD_CHECK(!certificates->empty());
    std::string written = write_certificate(certificates->front().get());
    STEAD_CHECK(read_certificates(written).ok(), written);
    STEAD_CHECK(*fingerprint(written) == *fingerprint(text), written);
    (void)common_name_of(text);
    (void)alternative_names(text);
    auto begin = not_before(text);
    auto end = not_after(text);
    STEAD_CHECK(begin.ok() == not_before(written).ok() && end.ok() == not_after(written).ok());
  }
  if (auto key = read_key(text); key.ok()) STEAD_CHECK(read_key(write_key(key->get())).ok());
  (void)SigningKey::from_pem(text);
  if (auto facts = read_request(text); facts.ok()) {
    static const auto kCa = make_ca("fuzz", stead::WallTime(), std::chrono::hours(24));
    auto signed_pem = sign_request(*kCa, text, {.client = true}, stead::WallTime());
    STEAD_CHECK(signed_pem.ok(), signed_pem.ok() ? "" : signed_pem.error().message);
    auto name = common_name_of(*signed_pem);
    STEAD_CHECK(name.ok() && *name == facts->common_name, facts->common_name);
  }
  if (auto bytes = decode_base64url(text)) STEAD_CHECK(decode_base64url(encode_base64url(*bytes)) == *bytes);
  return 0;
}
