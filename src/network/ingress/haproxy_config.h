#pragma once

// A Balancer in HAProxy's language (version 2.6). Pure. All names in it are relative to the folder that HAProxy runs
// in:
//
//   haproxy.cfg        the configuration
//   exact.map          "host#/path" to backend                   looked up as a whole
//   prefix.map         "host#/path/" to backend                  the longest entry that begins the looked-up text
//   host.map           host to backend
//   certificates.list  which certificate is shown to whom; its first line holds for everybody else
//   tls/ns_secret.pem
//   default.pem        made by the adapter
//   admin.sock         HAProxy's runtime socket; master.sock: that of its master process

#include <map>
#include <string>

#include "network/ingress/balancer.h"
#include "network/ingress/server_slots.h"

namespace stead::network::ingress {

struct HaproxyOptions {
  std::string address;      // to listen on
  uint16_t http_port = 80;  // 0: not
  uint16_t https_port = 443;
  std::string user;  // what the workers run as; empty: as who starts them
};

inline constexpr char kConfigFile[] = "haproxy.cfg";
inline constexpr char kAdminSocket[] = "admin.sock";
inline constexpr char kMasterSocket[] = "master.sock";
inline constexpr char kDefaultCertificateFile[] = "default.pem";

// File name to content. `generation` is what `show info` tells as the description, to know who answers.
std::map<std::string, std::string> haproxy_files(const Balancer& balancer, const Slots& slots,
                                                 const HaproxyOptions& options, const std::string& generation);

}  // namespace stead::network::ingress
