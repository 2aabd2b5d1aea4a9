#pragma once

// The status of a pod as its node reports it: pure, from what is seen of the containers. The patch holds only what
// differs from the object, so that an unchanged pod costs no write and conditions of others are left alone.

#include <optional>
#include <string>
#include <vector>

#include "node/pods/pod_policy.h"
#include "node/pods/pod_resize.h"
#include "node/runtime/runtime.h"

namespace stead::node {

// One container as it is reported.
struct ContainerReport {
  ContainerPhase phase = ContainerPhase::kAbsent;
  std::optional<ContainerStatus> current;  // the newest instance: running, or ended
  object::Value last_terminated;           // ContainerStateTerminated of the instance before it; null: none
  std::string waiting_reason;              // why it is not running; empty: the usual one
  std::string waiting_message;
  object::Value resources;  // what it has; null: not told
  uint32_t restart_count = 0;
  bool started = false;
  bool ready = false;
};

struct StatusInput {
  std::vector<ContainerReport> containers;  // as PodShape::containers
  std::string runtime_scheme = "containerd";
  bool sandbox_ready = false;
  std::vector<std::string> ips;
  std::vector<std::string> host_ips;
  std::string start_time;
  std::string failed_reason;  // the pod was failed as a whole ("DeadlineExceeded", "Evicted")
  std::string failed_message;
  bool finished = false;  // every container has ended for good
  ResizeState resize;
  bool ended = false;  // nothing of the pod lives and nothing will (after deletion)
  WallTime now;
};

// The fields of PodStatus that belong to the node; absent members are fields that must be absent.
// `old` is the newest known status: it keeps transition times, and phases that are final.
object::Value build_pod_status(const PodShape& shape, const object::Value& old, const StatusInput& input);

// A strategic merge patch of the status subresource that makes `current` show `desired`; null if it does already.
object::Value status_patch(const object::Object& pod, const object::Value& current, const object::Value& desired);

// {exitCode, reason, message, startedAt, finishedAt, containerID}
object::Value terminated_state(const ContainerStatus& status, const std::string& runtime_scheme);

}  // namespace stead::node
