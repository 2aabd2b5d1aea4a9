#pragma once

// Which place each endpoint has in HAProxy's configuration. A backend has more places than endpoints, so that most
// changes of endpoints are changes of places, made through HAProxy's runtime socket while it runs. Pure.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "network/ingress/balancer.h"

namespace stead::network::ingress {

// By backend; an empty place has no server.
using Slots = std::map<std::string, std::vector<std::optional<Server>>>;

// Places for `balancer`'s backends, with every server that has one in `before` left where it is. Places are never fewer
// than before; if they do not suffice, they double.
Slots assign_slots(const Balancer& balancer, const Slots& before);

// The runtime commands that bring HAProxy from `before` to `after`, new servers first; nullopt where the two differ in
// backends or places, which takes a reload.
std::optional<std::vector<std::string>> slot_commands(const Slots& before, const Slots& after);

// Whether two balancers differ in servers at most.
bool same_but_for_servers(const Balancer& a, const Balancer& b);

}  // namespace stead::network::ingress
