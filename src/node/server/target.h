#pragma once

// The kubelet's targets taken apart. Pure.
//
//   /containerLogs/<namespace>/<pod>/<container>?follow,tailLines,previous,timestamps,sinceSeconds,sinceTime,
//                                                limitBytes,stream
//   /exec/<namespace>/<pod>/<container>?command=…&input,output,error,tty
//   /attach/<namespace>/<pod>/<container>?input,output,error,tty
//                                                (a uid may stand between pod and container of both)
//   /portForward/<namespace>/<pod>?port=…
//   /healthz, /stats/summary, /metrics, /metrics/resource, /metrics/cadvisor

#include <string>
#include <vector>

#include "base/result.h"
#include "node/logs/log_options.h"

namespace stead::node {

struct KubeletTarget {
  enum class Kind : uint8_t {
    kLogs,
    kExec,
    kAttach,
    kPortForward,
    kHealth,
    kStats,
    kMetrics,
    kResourceMetrics,
    kContainerMetrics
  } kind = Kind::kHealth;
  std::string ns, pod, container;
  LogOptions logs;
  std::vector<std::string> command;
  bool tty = false;
  bool input = false;
  bool output = false;
  bool error = false;
  std::vector<int32_t> ports;
};

// `now` is what sinceSeconds counts back from. kNotFound: no such path; kBadRequest or kInvalid: a parameter is wrong
// (the message names it).
Result<KubeletTarget> parse_kubelet_target(const std::string& target, WallTime now);

}  // namespace stead::node
