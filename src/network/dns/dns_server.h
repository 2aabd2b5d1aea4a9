#pragma once

// The cluster's DNS server: UDP and TCP on the addresses given, true to the Services and EndpointSlices of the API.
// Belongs to one loop; every call on it (the constructor, start() and the destructor also while it does not run).

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace stead::client {
class ApiTransport;
}
namespace stead::loop {
class AsioLoop;
}

namespace stead::network::dns {

struct DnsOptions {
  std::vector<std::string> addresses;  // to serve on; more can follow with listen()
  uint16_t port = 53;                  // 0: any free port, the same for UDP and TCP and for all addresses
  std::string domain = "cluster.local";
  std::vector<std::string> cidrs;               // of pods and services: their reverse names are never forwarded
  std::vector<std::string> upstreams;           // "IP", "IPv4:PORT", "[IPv6]:PORT"; tried in order. See forwarder.h.
  std::vector<std::string> name_addresses;      // A/AAAA of ns.dns.DOMAIN; empty: `addresses`
  Duration hold_max = std::chrono::seconds(2);  // how long questions wait for the first lists
};

class DnsServer {
 public:
  // `transport` and `loop` must outlive the server.
  DnsServer(client::ApiTransport& transport, loop::AsioLoop& loop, DnsOptions options);
  ~DnsServer();

  // Binds the addresses and begins to follow the API. Until the first lists have come, questions about names of the
  // cluster wait; after hold_max they are answered SERVFAIL. kBadRequest names a bad option; kUnavailable an address
  // that cannot be bound.
  Result<void> start();
  // One more address, after start(). No effect if it is served already.
  Result<void> listen(const std::string& address);
  uint16_t port() const;
  // Whether names of the cluster are answered.
  bool ready() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stead::network::dns
