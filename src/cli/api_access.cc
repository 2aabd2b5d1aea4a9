#include "cli/api_access.h"

#include "cli/data_dir.h"

namespace stead::cli {

Result<http::ClientOptions> api_of(const std::string& data_dir) {
  STEAD_TRY(address, read_file(data_dir + "/api-address"));
  STEAD_TRY(ca, read_file(data_dir + "/pki/ca.crt"));
  STEAD_TRY(certificate, read_file(data_dir + "/pki/admin.crt"));
  STEAD_TRY(key, read_file(data_dir + "/pki/admin.key"));
  while (!address.empty() && address.back() == '\n') address.pop_back();
  size_t colon = address.rfind(':');
  if (colon == std::string::npos) return make_error(Reason::kInternal, data_dir + "/api-address is damaged");
  http::ClientOptions options;
  options.host = address.substr(0, colon);
  options.port = static_cast<uint16_t>(std::atoi(address.c_str() + colon + 1));
  options.ca_pem = ca;
  options.certificate_pem = certificate;
  options.key_pem = key;
  return options;
}

}  // namespace stead::cli
