#include "node/pods/pod_policy.h"

#include <algorithm>

namespace stead::node {
namespace {

using Kind = PodAction::Kind;

// The least a container gets between SIGTERM and SIGKILL, even when hooks or others used up the pod's grace.
constexpr std::chrono::seconds kGraceMin{2};

class Decision {
 public:
  Decision(const PodShape& shape, const PodObservation& seen, Instant now) : shape_(shape), seen_(seen), now_(now) {}

  PodPlan run() {
    plan_.finished = finished();
    if (seen_.wish != PodWish::kRun || seen_.failed || plan_.finished) {
      end();
    } else if (seen_.deadline && *seen_.deadline <= now_) {
      plan_.deadline_exceeded = true;
      end();
    } else {
      if (seen_.deadline) look_at(*seen_.deadline);
      go_on();
    }
    return std::move(plan_);
  }

 private:
  void act(Kind kind) { plan_.actions.push_back({kind}); }
  void look_at(Instant when) { plan_.look_again = plan_.look_again ? std::min(*plan_.look_again, when) : when; }
  void stop(size_t index, StopCause cause, std::chrono::seconds grace) {
    plan_.actions.push_back({Kind::kStopContainer, index, cause, grace});
  }
  bool any_alive() const {
    return std::any_of(seen_.containers.begin(), seen_.containers.end(),
                       [](const auto& container) { return is_alive(container.phase); });
  }
  bool is_main(size_t index) const { return shape_.containers[index].kind == ContainerKind::kMain; }
  bool is_ephemeral(size_t index) const { return shape_.containers[index].kind == ContainerKind::kEphemeral; }
  // Main containers were reached in this sandbox: init containers are not run again.
  bool initialized() const {
    for (size_t i = 0; i < seen_.containers.size(); ++i) {
      if (is_main(i) && seen_.containers[i].in_sandbox && seen_.containers[i].phase != ContainerPhase::kAbsent) {
        return true;
      }
    }
    return false;
  }

  bool ended_for_good(size_t index) const {
    const ContainerObservation& container = seen_.containers[index];
    return container.phase == ContainerPhase::kExited && !container.again &&
           !shape_.containers[index].restarts_after(container.exit_code);
  }

  bool finished() const {
    bool any_main = false;
    bool mains_ended = true;
    for (size_t i = 0; i < seen_.containers.size(); ++i) {
      if (is_main(i)) {
        any_main = true;
        mains_ended = mains_ended && ended_for_good(i);
      } else if (shape_.containers[i].kind == ContainerKind::kInit && ended_for_good(i) &&
                 seen_.containers[i].exit_code != 0 && !initialized()) {
        return true;
      }
    }
    if (any_main && mains_ended) return true;
    // A pod that never restarts does not survive its sandbox.
    bool lost = seen_.sandbox == SandboxPhase::kDead || seen_.sandbox == SandboxPhase::kStopped;
    return shape_.restart_policy == RestartPolicy::kNever && lost && seen_.sandboxes_made > 0 && !any_alive();
  }

  void go_on() {
    if (!seen_.inputs_ready || seen_.predecessor_alive) return;
    bool sandbox_lost = seen_.sandbox == SandboxPhase::kDead || seen_.sandbox == SandboxPhase::kAbsent ||
                        seen_.sandbox == SandboxPhase::kStopped;
    if (sandbox_lost && any_alive()) {
      for (size_t i = 0; i < seen_.containers.size(); ++i) {
        if (seen_.containers[i].phase == ContainerPhase::kRunning) stop(i, StopCause::kSandboxGone, shape_.grace);
      }
      return;
    }
    if (!seen_.volumes_ready) {
      if (seen_.volumes_busy) return;
      if (seen_.volumes_not_before <= now_) return act(Kind::kSetUpVolumes);
      return look_at(seen_.volumes_not_before);
    }
    if (sandbox_lost) {
      if (seen_.sandbox_not_before <= now_) return act(Kind::kCreateSandbox);
      return look_at(seen_.sandbox_not_before);
    }
    if (seen_.sandbox == SandboxPhase::kReady) run_containers();
  }

  // True when container `index` lets the next one start.
  bool advance(size_t index) {
    const ContainerObservation& container = seen_.containers[index];
    const ContainerShape& shape = shape_.containers[index];
    switch (container.phase) {
      case ContainerPhase::kStarting:
        starting_ = true;
        return false;
      case ContainerPhase::kStopping:
        return false;
      case ContainerPhase::kRunning:
        if (container.condemned) {
          stop(index, *container.condemned, shape_.grace);
          return false;
        }
        return shape.kind == ContainerKind::kSidecar && container.started;
      case ContainerPhase::kExited:
        if (shape.kind == ContainerKind::kInit && container.in_sandbox && container.exit_code == 0) return true;
        // In a new sandbox init containers run again; main ones by their policy.
        if (shape.kind != ContainerKind::kInit && ended_for_good(index)) return true;
        break;
      case ContainerPhase::kAbsent:
        break;
    }
    start(index);
    return false;
  }

  // One at a time and in order, as the kubelet does.
  void start(size_t index) {
    if (starting_) return;
    if (seen_.containers[index].not_before > now_) return look_at(seen_.containers[index].not_before);
    plan_.actions.push_back({Kind::kStartContainer, index});
    starting_ = true;
  }

  // Beside everything else: who looks into a pod does not wait for it, nor hold it up.
  void run_ephemeral(size_t index) {
    const ContainerObservation& container = seen_.containers[index];
    if (container.phase != ContainerPhase::kAbsent || container.ever_ran) return;
    if (container.not_before > now_) return look_at(container.not_before);
    plan_.actions.push_back({Kind::kStartContainer, index});
  }

  void run_containers() {
    for (size_t i = 0; i < seen_.containers.size(); ++i) {
      if (is_ephemeral(i)) {
        run_ephemeral(i);
      } else {
        starting_ = starting_ || seen_.containers[i].phase == ContainerPhase::kStarting;
      }
    }
    bool past_init = initialized();
    for (size_t i = 0; i < seen_.containers.size() && !is_main(i); ++i) {
      bool sidecar = shape_.containers[i].kind == ContainerKind::kSidecar;
      if (past_init && !sidecar) continue;
      if (!advance(i) && !past_init) return;
    }
    for (size_t i = 0; i < seen_.containers.size(); ++i) {
      if (is_main(i)) advance(i);
    }
  }

  std::chrono::seconds grace_left() const {
    auto used = std::chrono::duration_cast<std::chrono::seconds>(seen_.ending_for);
    return used.count() == 0 ? shape_.grace : std::max(kGraceMin, shape_.grace - used);
  }

  void end_containers() {
    bool others_alive = false;
    for (size_t i = 0; i < seen_.containers.size(); ++i) {
      if (shape_.containers[i].kind == ContainerKind::kSidecar) continue;
      if (is_alive(seen_.containers[i].phase)) others_alive = true;
      if (seen_.containers[i].phase == ContainerPhase::kRunning) stop(i, StopCause::kPodEnds, grace_left());
    }
    if (others_alive) return;
    // KEP-753: sidecars end after the main containers, last one first.
    for (size_t i = seen_.containers.size(); i-- > 0;) {
      if (!is_alive(seen_.containers[i].phase)) continue;
      if (seen_.containers[i].phase == ContainerPhase::kRunning) stop(i, StopCause::kPodEnds, grace_left());
      return;
    }
  }

  void end() {
    if (any_alive()) return end_containers();
    bool deleted = seen_.wish != PodWish::kRun;
    switch (seen_.sandbox) {
      case SandboxPhase::kCreating:
      case SandboxPhase::kStopping:
        return;
      case SandboxPhase::kReady:
      case SandboxPhase::kDead:
        if (seen_.sandbox_not_before > now_) return look_at(seen_.sandbox_not_before);
        return act(deleted ? Kind::kRemoveSandbox : Kind::kStopSandbox);
      case SandboxPhase::kStopped:
        if (!deleted) break;
        if (seen_.sandbox_not_before > now_) return look_at(seen_.sandbox_not_before);
        return act(Kind::kRemoveSandbox);
      case SandboxPhase::kAbsent:
        break;
    }
    if (seen_.volumes_busy) return;
    if (seen_.volumes_present) {
      if (seen_.volumes_not_before > now_) return look_at(seen_.volumes_not_before);
      return act(Kind::kTearDownVolumes);
    }
    if (seen_.wish == PodWish::kGone) return act(Kind::kForget);
    if (seen_.wish == PodWish::kDelete && !seen_.object_deleted) act(Kind::kDeleteObject);
  }

  const PodShape& shape_;
  const PodObservation& seen_;
  const Instant now_;
  PodPlan plan_;
  bool starting_ = false;
};

}  // namespace

PodPlan decide(const PodShape& shape, const PodObservation& seen, Instant now) {
  return Decision(shape, seen, now).run();
}

}  // namespace stead::node
