#pragma once

// What people do to a cluster, and what breaks: one random thing at a time.

#include <string>

#include "simulation/cluster.h"

namespace stead::simulation {

// Creates, scales, updates, deletes sets and deletes pods. Never forces a pod: who does vouches for the old one.
// Tells what it did, for the trace.
std::string do_something(Cluster& cluster);

// Kills containers and sandboxes, restarts node parts and machines, takes runtimes away.
std::string break_something(Cluster& cluster);
// All node parts and runtimes are back, all faults off.
void mend_everything(Cluster& cluster);

}  // namespace stead::simulation
