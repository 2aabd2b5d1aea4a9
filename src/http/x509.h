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
// When it ends; kBadRequest on malformed PEM.
Result<WallTime> not_after(const std::string& certificate_pem);
// Subject alternative names of a certificate: DNS names and IP addresses as text.
Result<std::vector<std::string>> alternative_names(const std::string& certificate_pem);

}  // namespace stead::http
