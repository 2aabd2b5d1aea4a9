#pragma once

// UDP and TCP on one address, for a Responder. Loop thread only.

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "network/dns/responder.h"

namespace stead::loop {
class AsioLoop;
}

namespace stead::network::dns {

// Limits of the TCP side, shared by all sockets of a server.
struct TcpLimits {
  size_t connections = 0;
  size_t connections_max = 256;
};

// Serves until destroyed.
class DnsSocket {
 public:
  virtual ~DnsSocket() = default;
  virtual uint16_t port() const = 0;
};

// `port` 0: any port free for both protocols. The responder is held by the sockets and their connections.
Result<std::unique_ptr<DnsSocket>> open_dns_socket(loop::AsioLoop& loop, const std::string& address, uint16_t port,
                                                   std::shared_ptr<Responder> responder,
                                                   std::shared_ptr<TcpLimits> limits);

}  // namespace stead::network::dns
