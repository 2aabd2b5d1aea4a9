#pragma once

// Questions that are not the cluster's, sent on to the host's resolvers. Each travels from a port of its own with an
// id of its own (RFC 5452), to one resolver after the other. Bounded in number and time. Loop thread only.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace stead::loop {
class AsioLoop;
}

namespace stead::network::dns {

// The name servers of a resolv.conf's text, at most three (as resolvers read it), without those in `own_addresses`.
std::vector<std::string> resolvers_of(std::string_view resolv_conf, const std::vector<std::string>& own_addresses);

class Forwarder {
 public:
  // `reply` is the resolver's, with the query's id and question; empty if none answered.
  using Done = std::function<void(std::string reply)>;
  virtual ~Forwarder() = default;
  // `over_tcp_too`: a truncated answer is asked for again over TCP. `done` runs once, later, unless the forwarder is
  // destroyed first.
  virtual void forward(std::string query, bool over_tcp_too, Done done) = 0;
  virtual bool has_resolvers() const = 0;
};

// `resolvers`: "IP", "IPv4:PORT" or "[IPv6]:PORT". kBadRequest names one that is neither.
Result<std::unique_ptr<Forwarder>> make_forwarder(loop::AsioLoop& loop, const std::vector<std::string>& resolvers);

}  // namespace stead::network::dns
