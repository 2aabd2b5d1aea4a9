#pragma once

// Which address of this machine is the node's, and by which link it reaches others.

#include <string>

#include "base/result.h"

namespace stead::app {

// `wanted` if it is not empty and this machine (or network namespace) has it; else the IPv4 address of the default
// route's link; else any global one. kInvalid, saying what to do, where there is none.
Result<std::string> choose_node_address(const std::string& wanted);

// The link of the IPv4 default route; empty where there is none.
std::string default_route_link();

}  // namespace stead::app
