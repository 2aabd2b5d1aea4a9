#pragma once

// Certificates: a CA, leaf certificates signed by it. P-256 keys; PEM text in and out.

#include <chrono>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace stead::http {

struct KeyPair {
  std::string certificate_pem;
  std::string key_pem;
};

struct LeafRequest {
  std::string common_name;
  std::vector<std::string> organizations;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  bool server = false;  // extended key usage
  bool client = false;
  std::chrono::hours valid_for{24 * 365};
};

Result<KeyPair> make_ca(const std::string& common_name, WallTime now, std::chrono::hours valid_for);
Result<KeyPair> issue(const KeyPair& ca, const LeafRequest& request, WallTime now);
// A certificate request (PKCS #10) with a key of its own, for the names of `request`.
struct RequestedKey {
  std::string request_pem;
  std::string key_pem;
};
Result<RequestedKey> make_request(const LeafRequest& request);

// What a request asks for. kBadRequest: no PEM of one, or it is not signed with its own key.
struct RequestFacts {
  std::string common_name;
  std::vector<std::string> organizations;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  bool other_names = false;  // alternative names of other sorts (mail, URI)
};
Result<RequestFacts> read_request(const std::string& request_pem);

// Signs subject, alternative names and key of the request as they are: whoever calls has approved them.
struct SigningTerms {
  bool server = false;  // extended key usage
  bool client = false;
  bool key_encipherment = false;  // key usage; digital signature always
  std::chrono::seconds valid_for{std::chrono::hours(24 * 365)};
};
Result<std::string> sign_request(const KeyPair& ca, const std::string& request_pem, const SigningTerms& terms,
                                 WallTime now);

// The SHA-256 of the first certificate (DER), in hex.
Result<std::string> fingerprint(const std::string& certificate_pem);
// When it was made out, a little before that; see not_after().
Result<WallTime> not_before(const std::string& certificate_pem);
// Subject of the first certificate.
Result<std::string> common_name_of(const std::string& certificate_pem);
// When it ends; kBadRequest on malformed PEM.
Result<WallTime> not_after(const std::string& certificate_pem);
// Subject alternative names of a certificate: DNS names and IP addresses as text.
Result<std::vector<std::string>> alternative_names(const std::string& certificate_pem);

}  // namespace stead::http
