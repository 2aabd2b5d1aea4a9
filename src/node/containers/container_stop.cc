// The second half of ContainerRunner: stopping, probing, and reading what is left.

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "node/containers/container_runner.h"

namespace stead::node {
namespace {

constexpr Duration kStopRetryFirst = std::chrono::milliseconds(200);
constexpr Duration kStopRetryMax = std::chrono::seconds(30);
// What is left for SIGTERM after a hook that used up the pod's grace, as the kubelet leaves.
constexpr std::chrono::seconds kGraceMin{2};

std::string kill_message(StopCause cause, const std::string& name) {
  switch (cause) {
    case StopCause::kPodEnds:
      return fmt::format("Stopping container {}", name);
    case StopCause::kLivenessFailed:
      return fmt::format("Container {} failed liveness probe, will be restarted", name);
    case StopCause::kStartupFailed:
      return fmt::format("Container {} failed startup probe, will be restarted", name);
    case StopCause::kPostStartFailed:
      return "FailedPostStartHook";
    case StopCause::kChanged:
      return fmt::format("Container {} definition changed, will be restarted", name);
    case StopCause::kResized:
      return fmt::format("Container {} resize requires restart", name);
    case StopCause::kSandboxGone:
      return fmt::format("Stopping container {}", name);
  }
  return {};
}

}  // namespace

Result<ContainerStatus> read_container_status(ContainerRuntime& runtime, NodeFiles& files, const PodPaths& paths,
                                              const std::string& container, bool fall_back_to_log,
                                              const std::string& id) {
  auto status = runtime.container_status(id);
  if (!status.ok()) {
    if (status.error().reason != Reason::kNotFound) return status.error();
    // Somebody removed it. It is as dead as if it had been killed.
    ContainerStatus lost;
    lost.id = id;
    lost.name = container;
    lost.state = ContainerState::kExited;
    lost.exit_code = 137;
    lost.reason = "ContainerStatusUnknown";
    lost.message = "The container could not be located when the pod was terminated";
    return lost;
  }
  if (status->state != ContainerState::kExited) return status;
  std::string message = files.termination_message(paths, container, status->attempt);
  if (message.empty() && fall_back_to_log && status->exit_code != 0) {
    message = files.log_end(paths, container, status->attempt);
  }
  if (!message.empty()) status->message = std::move(message);
  return status;
}

void ContainerRunner::stop(StopCause cause, std::chrono::seconds grace) {
  if (phase_ != ContainerPhase::kRunning) return;
  stop_probes();
  phase_ = ContainerPhase::kStopping;
  again_ = cause == StopCause::kChanged || cause == StopCause::kResized;
  if (cause == StopCause::kLivenessFailed || cause == StopCause::kStartupFailed) {
    auto probe =
        read_probe(*shape().document, cause == StopCause::kLivenessFailed ? ProbeKind::kLiveness : ProbeKind::kStartup);
    if (probe.ok() && *probe && (*probe)->grace) grace = *(*probe)->grace;
  }
  record("Normal", "Killing", kill_message(cause, shape().name));
  auto hook = read_handler(shape().document->at({"lifecycle", "preStop"}), *shape().document);
  if (!hook.ok() || hook->kind == Handler::Kind::kNone) return stop_now(grace);
  Instant began = context_.loop.now();
  auto done = [weak = weak_from_this(), generation = generation_, began, grace](const HandlerAnswer& answer) {
    auto self = weak.lock();
    if (!self || self->generation_ != generation || self->phase_ != ContainerPhase::kStopping) return;
    if (!answer.success) {
      self->record("Warning", "FailedPreStopHook", "PreStopHook failed");
      log::debug("node", "preStop of {}: {}", self->shape().name, answer.output);
    }
    auto used = std::chrono::ceil<std::chrono::seconds>(self->context_.loop.now() - began);
    self->stop_now(std::max(kGraceMin, grace - used));
  };
  if (hook->kind == Handler::Kind::kSleep) {
    context_.loop.cancel(stop_timer_);
    stop_timer_ = context_.loop.call_after(std::min(hook->sleep, grace), [done] { done({true, ""}); });
    return;
  }
  auto ips = host_.downward().pod_ips;
  in_background(
      context_.pool, context_.loop,
      [&runtime = context_.runtime, &dialer = context_.dialer, handler = *hook, id = id_,
       ip = ips.empty() ? std::string() : ips.front(),
       grace] { return run_handler(handler, id, ip, std::chrono::milliseconds(grace), runtime, dialer); },
      done);
}

void ContainerRunner::shorten_stop(std::chrono::seconds grace) {
  if (phase_ != ContainerPhase::kStopping) return;
  // The stop under way returns when this one has killed the container; its result is the one that counts.
  context_.pool.run([&runtime = context_.runtime, id = id_, grace] { (void)runtime.stop_container(id, grace).ok(); });
}

void ContainerRunner::stop_now(std::chrono::seconds grace) {
  std::string_view policy = shape().document->at("terminationMessagePolicy").as_string();
  auto work = [&runtime = context_.runtime, &files = context_.files, paths = host_.paths(), name = shape().name,
               id = id_, grace, from_log = policy == "FallbackToLogsOnError"]() -> Result<ContainerStatus> {
    auto stopped = runtime.stop_container(id, grace);
    if (!stopped.ok() && stopped.error().reason != Reason::kNotFound) return stopped.error();
    return read_container_status(runtime, files, paths, name, from_log, id);
  };
  in_background(context_.pool, context_.loop, std::move(work),
                [weak = weak_from_this(), generation = generation_, grace](Result<ContainerStatus> status) {
                  auto self = weak.lock();
                  if (self && self->generation_ == generation) self->finish_stop(std::move(status), grace);
                });
}

void ContainerRunner::finish_stop(Result<ContainerStatus> status, std::chrono::seconds grace) {
  if (phase_ != ContainerPhase::kStopping) return;
  if (status.ok() && status->state != ContainerState::kRunning) {
    stop_retry_ = Duration(0);
    return ended(std::move(*status));
  }
  std::string why = status.ok() ? "it still runs" : status.error().message;
  log::warning("node", "container {} of {}/{} was not stopped: {}", shape().name, host_.shape().ns, host_.shape().name,
               why);
  if (!status.ok()) {
    record("Warning", "FailedKillPod",
           fmt::format("error killing pod: failed to \"KillContainer\" for \"{}\": {}", shape().name, why));
  }
  stop_retry_ = stop_retry_ == Duration(0) ? kStopRetryFirst : std::min(stop_retry_ * 2, kStopRetryMax);
  context_.loop.call_after(stop_retry_, [weak = weak_from_this(), generation = generation_, grace] {
    auto self = weak.lock();
    if (self && self->generation_ == generation) self->stop_now(std::min(grace, kGraceMin));
  });
}

void ContainerRunner::start_probes() {
  if (shape().kind == ContainerKind::kInit) return;
  if (shape().document->find("startupProbe") != nullptr && !started_) return start_probe(ProbeKind::kStartup);
  started_ = true;
  start_probe(ProbeKind::kLiveness);
  if (shape().document->find("readinessProbe") == nullptr) {
    ready_ = true;
  } else {
    start_probe(ProbeKind::kReadiness);
  }
}

void ContainerRunner::start_probe(ProbeKind kind) {
  auto spec = read_probe(*shape().document, kind);
  if (!spec.ok()) {
    record("Warning", "Unhealthy",
           fmt::format("{} probe errored and resulted in unknown state: {}", probe_name(kind), spec.error().message));
    return;
  }
  if (!*spec) return;
  auto run = [weak = weak_from_this()](const ProbeSpec& probe, std::function<void(HandlerAnswer)> done) {
    auto self = weak.lock();
    if (!self) return;
    auto ips = self->host_.downward().pod_ips;
    in_background(
        self->context_.pool, self->context_.loop,
        [&runtime = self->context_.runtime, &dialer = self->context_.dialer, handler = probe.handler, id = self->id_,
         ip = ips.empty() ? std::string() : ips.front(),
         timeout = probe.timeout] { return run_handler(handler, id, ip, timeout, runtime, dialer); },
        std::move(done));
  };
  auto failed = [this, kind](const HandlerAnswer& answer) {
    record("Warning", "Unhealthy", fmt::format("{} probe failed: {}", probe_name(kind), answer.output));
  };
  auto& prober = probers_[static_cast<size_t>(kind)];
  prober = std::make_unique<Prober>(context_.loop, std::move(**spec), std::move(run), std::move(failed),
                                    [this, kind](bool success) { take_verdict(kind, success); });
  Duration running_for = current_ ? context_.loop.wall_now() - current_->started_at : Duration(0);
  prober->start(std::max(Duration(0), running_for));
}

void ContainerRunner::take_verdict(ProbeKind kind, bool success) {
  switch (kind) {
    case ProbeKind::kStartup:
      if (success) {
        started_ = true;
        probers_[static_cast<size_t>(kind)].reset();
        start_probes();
      } else {
        stop_probes();
        condemned_ = StopCause::kStartupFailed;
      }
      break;
    case ProbeKind::kLiveness:
      if (success) return;
      stop_probes();
      condemned_ = StopCause::kLivenessFailed;
      break;
    case ProbeKind::kReadiness:
      if (ready_ == success) return;
      ready_ = success;
      break;
  }
  host_.container_changed();
}

void ContainerRunner::stop_probes() {
  for (auto& prober : probers_) prober.reset();
}

}  // namespace stead::node
