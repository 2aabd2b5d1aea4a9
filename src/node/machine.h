#pragma once

// What the node reports of the machine it runs on, read from the kernel and /etc. Blocks (files only).

#include <string>

#include "node/node_options.h"

namespace stead::node {

// `data_dir` tells whose file system is the node's ephemeral storage. What cannot be read is left at its zero.
MachineFacts read_machine_facts(const std::string& data_dir);

// The host's resolv.conf, without servers on the loopback, which mean nothing inside a pod: systemd-resolved keeps
// the real ones in a file of its own.
std::string read_machine_resolv_conf();

}  // namespace stead::node
