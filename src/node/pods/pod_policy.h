#pragma once

// What to do next with one pod on this node: pure, from what the pod should be and what is seen of it.
//
//   waiting ─▶ volumes ─▶ sandbox ─▶ init containers ─▶ main containers ─┬─▶ (all ended for good) ─▶ ending
//      └── deleted, gone, failed: from anywhere ────────────────────────┘
//   ending:  containers dead ─▶ sandbox gone ─▶ volumes gone ─▶ object deleted (or worker forgotten)
//
// Rules that hold in every plan (pod_policy_test.cc tries them on random observations):
//   - a container is started only if no instance of its name is starting, running or stopping;
//   - an ephemeral container is started at most once;
//   - a main container is started only once every init container has succeeded and every sidecar has started;
//   - the object is deleted only when no container lives and the sandbox is gone (at most one pod per identity);
//   - nothing is started while a predecessor of the same name still has something alive.

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "node/pods/pod_shape.h"

namespace stead::node {

enum class ContainerPhase : uint8_t {
  kAbsent,
  kStarting,  // image, creation, start, postStart: a job of ours is under way
  kRunning,
  kStopping,  // preStop, stop: a job of ours is under way
  kExited,
};

enum class StopCause : uint8_t {
  kPodEnds,
  kLivenessFailed,
  kStartupFailed,
  kPostStartFailed,
  kChanged,
  kResized,
  kSandboxGone
};

struct ContainerObservation {
  ContainerPhase phase = ContainerPhase::kAbsent;
  bool in_sandbox = true;              // of the sandbox that is there now; false: a leftover of an earlier one
  int32_t exit_code = 0;               // kExited
  bool started = false;                // startup probe passed, or has none
  bool ever_ran = false;               // here, or before this life of the node part
  std::optional<StopCause> condemned;  // has to be stopped and, by policy, started again
  bool again = false;                  // kExited: was stopped only to be started again, whatever the policy says
  Instant not_before{};                // no start before that (crash or image back-off)
};

enum class SandboxPhase : uint8_t { kAbsent, kCreating, kReady, kDead, kStopping, kStopped };
enum class PodWish : uint8_t {
  kRun,
  kDelete,  // deletionTimestamp is set: end it, then delete the object
  kGone,    // the object is gone (forced, or its node was away): end it
};

struct PodObservation {
  PodWish wish = PodWish::kRun;
  bool failed = false;             // phase Failed or Succeeded was decided before: only ending is left
  bool predecessor_alive = false;  // another uid of this name still has containers here
  bool inputs_ready = false;       // everything the pod refers to has been looked up
  bool volumes_ready = false;
  bool volumes_busy = false;
  bool volumes_present = false;  // there is something to tear down
  Instant volumes_not_before{};
  SandboxPhase sandbox = SandboxPhase::kAbsent;
  uint32_t sandboxes_made = 0;
  Instant sandbox_not_before{};
  std::vector<ContainerObservation> containers;  // as PodShape::containers
  std::optional<Instant> deadline;               // activeDeadlineSeconds after the start
  Duration ending_for{};                         // since the end began
  bool object_deleted = false;                   // our delete is under way or has succeeded
};

struct PodAction {
  enum class Kind : uint8_t {
    kSetUpVolumes,
    kCreateSandbox,  // the next attempt, after removing what is left of the last
    kStartContainer,
    kStopContainer,
    kStopSandbox,    // keep records, for logs
    kRemoveSandbox,  // and its containers' records
    kTearDownVolumes,
    kDeleteObject,
    kForget,
  } kind;
  size_t container = 0;
  StopCause cause = StopCause::kPodEnds;
  std::chrono::seconds grace{0};
};

struct PodPlan {
  std::vector<PodAction> actions;
  std::optional<Instant> look_again;
  bool deadline_exceeded = false;  // the pod has to be failed with reason DeadlineExceeded
  bool finished = false;           // every container has ended for good
};

PodPlan decide(const PodShape& shape, const PodObservation& seen, Instant now);

// Whether some instance may be alive.
inline bool is_alive(ContainerPhase phase) {
  return phase == ContainerPhase::kStarting || phase == ContainerPhase::kRunning || phase == ContainerPhase::kStopping;
}

}  // namespace stead::node
