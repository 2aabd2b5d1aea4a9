#include "node/containers/container_runner.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "node/pods/pod_resize.h"
#include "object/time.h"

namespace stead::node {
namespace {

using object::Value;

constexpr Duration kConfigRetry = std::chrono::seconds(10);
constexpr Duration kDiscardRetryFirst = std::chrono::milliseconds(20);
constexpr Duration kDiscardRetryMax = std::chrono::seconds(2);
constexpr Duration kLookRetry = std::chrono::seconds(1);
// About when a kubelet, which looks around every second, first sees a container that was started.
constexpr Duration kSettle = std::chrono::seconds(1);

std::string field_path(const ContainerShape& shape) {
  std::string_view list = "initContainers";
  if (shape.kind == ContainerKind::kMain) list = "containers";
  if (shape.kind == ContainerKind::kEphemeral) list = "ephemeralContainers";
  return fmt::format("spec.{}{{{}}}", list, shape.name);
}

}  // namespace

struct ContainerRunner::Started {
  std::string id;
  Error error;
  enum class Stage : uint8_t { kPrepare, kCreate, kStart, kDone } stage = Stage::kPrepare;
  std::optional<ContainerStatus> status;
};

ContainerRunner::ContainerRunner(const NodeContext& context, ContainerHost& host, size_t index)
    : context_(context), host_(host), index_(index) {}

ContainerRunner::~ContainerRunner() {
  ++generation_;
  context_.loop.cancel(stop_timer_);
  context_.loop.cancel(discard_timer_);
}

void ContainerRunner::record(const char* type, const char* reason, std::string message) {
  context_.events.record({host_.shape().pod, type, reason, std::move(message), field_path(shape())});
}

void ContainerRunner::recall(const Value& api_status) {
  if (api_status.is_null()) return;
  recalled_restarts_ = static_cast<uint32_t>(api_status.at("restartCount").as_int());
  const Value& state = api_status.at("state");
  recalled_existed_ = state.find("running") != nullptr || state.find("terminated") != nullptr;
  recalled_started_ = api_status.at("started").as_bool();
  recalled_ready_ = api_status.at("ready").as_bool();
  std::string_view id = api_status.at("containerID").as_string();
  size_t scheme = id.find("://");
  recalled_id_ = scheme == std::string_view::npos ? id : id.substr(scheme + 3);
  recalled_resources_ = api_status.at("resources");
  if (last_terminated_.is_null()) last_terminated_ = api_status.at({"lastState", "terminated"});
  if (has_instance_ || phase_ != ContainerPhase::kAbsent) return;
  if (const Value* terminated = state.find("terminated")) {
    last_terminated_ = *terminated;
  } else if (state.find("running") != nullptr) {
    last_terminated_ = Value::object(
        {{"exitCode", 137},
         {"reason", "ContainerStatusUnknown"},
         {"message",
          "The container could not be located when the pod was deleted.  The container used to be Running"}});
  }
}

void ContainerRunner::adopt(const ContainerStatus& newest) {
  ++generation_;
  id_ = newest.id;
  attempt_ = newest.attempt;
  has_instance_ = true;
  host_.claim_id(id_);
  in_sandbox_ = newest.sandbox_id == host_.sandbox_id();
  auto hash = newest.annotations.find(kAnnotationHash);
  hash_ = hash == newest.annotations.end() ? shape().hash : hash->second;
  current_ = newest;
  bool same = recalled_id_ == id_;
  actual_ = same && recalled_resources_.is_object() ? recalled_resources_ : shape().resources();
  if (newest.state == ContainerState::kRunning) {
    phase_ = ContainerPhase::kRunning;
    started_ = same && recalled_started_;
    ready_ = same && recalled_ready_;
    start_probes();
    return;
  }
  if (newest.state == ContainerState::kCreated) return start_adopted();
  // The last life ended while the runtime started it, and the runtime gave up then.
  bool never_ran = newest.started_at.time_since_epoch().count() <= 0;
  if (never_ran && recalled_id_ != id_) return discard(kDiscardRetryFirst);
  phase_ = ContainerPhase::kExited;
  ready_ = shape().kind == ContainerKind::kInit && newest.exit_code == 0;
  look();
}

// The last life ended between creation and start.
void ContainerRunner::start_adopted() {
  phase_ = ContainerPhase::kStarting;
  current_.reset();
  auto work = [&runtime = context_.runtime, id = id_] {
    Started result;
    result.id = id;
    result.stage = Started::Stage::kStart;
    auto started = runtime.start_container(id);
    auto status = runtime.container_status(id);
    if (status.ok()) result.status = std::move(*status);
    if (!started.ok()) result.error = started.error();
    if (started.ok() && result.status) result.stage = Started::Stage::kDone;
    return result;
  };
  in_background(context_.pool, context_.loop, std::move(work),
                [weak = weak_from_this(), generation = generation_](Started result) {
                  auto self = weak.lock();
                  if (!self || self->generation_ != generation) return;
                  bool runs = result.status && result.status->state == ContainerState::kRunning;
                  if (result.stage == Started::Stage::kDone || runs) return self->created(std::move(result));
                  self->discard(kDiscardRetryFirst);
                });
}

// Removes an instance that never ran, so that it is made again under the same number: it counts as no restart. The
// runtime may still be at the start that the last life asked for, and then refuses both another start and the
// removal; no other instance may be made before it is known how that ended. It sends no event when it gives up.
void ContainerRunner::discard(Duration retry) {
  phase_ = ContainerPhase::kStarting;
  current_.reset();
  auto work = [&runtime = context_.runtime, id = id_]() -> Result<std::optional<ContainerStatus>> {
    auto status = runtime.container_status(id);
    if (status.ok() && status->state == ContainerState::kRunning) return std::optional(std::move(*status));
    STEAD_TRY_VOID(runtime.remove_container(id));
    return std::optional<ContainerStatus>();
  };
  in_background(
      context_.pool, context_.loop, std::move(work),
      [weak = weak_from_this(), generation = generation_, retry](Result<std::optional<ContainerStatus>> left) {
        auto self = weak.lock();
        if (self && self->generation_ == generation) self->discarded(std::move(left), retry);
      });
}

void ContainerRunner::discarded(Result<std::optional<ContainerStatus>> left, Duration retry) {
  if (!left.ok()) {
    log::debug("node", "removing container {}: {}", id_, left.error().message);
    discard_timer_ =
        context_.loop.call_after(retry, [this, retry] { discard(std::min<Duration>(retry * 2, kDiscardRetryMax)); });
    return;
  }
  if (*left) {
    Started result;
    result.id = id_;
    result.stage = Started::Stage::kDone;
    result.status = std::move(**left);
    return created(std::move(result));
  }
  phase_ = ContainerPhase::kAbsent;
  id_.clear();
  has_instance_ = false;
  attempt_ = 0;
  host_.container_changed();
}

uint32_t ContainerRunner::next_attempt() const {
  uint32_t next = has_instance_ ? attempt_ + 1 : 0;
  if (recalled_restarts_) next = std::max(next, *recalled_restarts_ + (recalled_existed_ && !has_instance_ ? 1 : 0));
  return next;
}

void ContainerRunner::start() {
  uint64_t generation = ++generation_;
  phase_ = ContainerPhase::kStarting;
  settling_ = false;
  condemned_.reset();
  started_ = ready_ = false;
  waiting_for_inputs_ = false;
  const Value& document = *shape().document;
  ImagePuller::Request request;
  request.image = document.at("image").as_string();
  request.policy = pull_policy(document);
  request.pod_uid = host_.shape().uid;
  std::vector<object::ObjectPtr> secrets;
  for (const Value& reference : host_.shape().spec().at("imagePullSecrets").items()) {
    if (auto secret = host_.find("secrets", reference.at("name").as_string())) secrets.push_back(std::move(secret));
  }
  request.logins = read_logins(secrets);
  request.record = [weak = weak_from_this()](const char* type, const char* reason, std::string message) {
    if (auto self = weak.lock()) self->record(type, reason, std::move(message));
  };
  context_.images.ensure(std::move(request), [weak = weak_from_this(), generation](PullOutcome outcome) {
    auto self = weak.lock();
    if (!self || self->generation_ != generation) return;
    if (outcome.ok) return self->create(outcome.image);
    self->record("Warning", "Failed", "Error: " + outcome.reason);
    self->start_failed(outcome.reason, outcome.message, outcome.retry_at);
  });
}

void ContainerRunner::start_failed(std::string reason, std::string message, Instant retry_at) {
  phase_ = current_ ? ContainerPhase::kExited : ContainerPhase::kAbsent;
  waiting_reason_ = std::move(reason);
  waiting_message_ = std::move(message);
  not_before_ = retry_at;
  host_.container_changed();
}

void ContainerRunner::create(const std::optional<ImageInfo>& image) {
  const PodShape& pod = host_.shape();
  DownwardFacts facts = host_.downward();
  auto lookup = [this](std::string_view resource, std::string_view name) { return host_.find(resource, name); };
  auto config_failed = [this](const Error& error) {
    record("Warning", "Failed", "Error: " + error.message);
    start_failed("CreateContainerConfigError", error.message, context_.loop.now() + kConfigRetry);
    waiting_for_inputs_ = true;
  };
  auto allowed = check_non_root(pod, shape(), image);
  if (!allowed.ok()) return config_failed(allowed.error());
  auto environment = build_environment(pod, shape(), facts, lookup, host_.services());
  if (!environment.ok()) return config_failed(environment.error());
  uint32_t attempt = next_attempt();
  auto plan = container_plan(pod, shape(),
                             {context_.options, host_.paths(), facts, host_.volumes(), *environment, attempt,
                              context_.options.machine.memory_bytes});
  if (!plan.ok()) return config_failed(plan.error());
  if (std::string target(shape().document->at("targetContainerName").as_string()); !target.empty()) {
    plan->config.security.pid_target_id = host_.container_id(target);
    if (plan->config.security.pid_target_id.empty()) {
      return config_failed(make_error(Reason::kInvalid, "unable to find target container " + target));
    }
  }
  auto work = [&runtime = context_.runtime, &files = context_.files, plan = std::move(*plan), paths = host_.paths(),
               sandbox_id = host_.sandbox_id(), sandbox = host_.sandbox()]() mutable {
    Started result;
    auto fail = [&result](const Error& error) {
      result.error = error;
      return std::move(result);
    };
    ContainerConfig& config = plan.config;
    auto prepared = files.prepare_container(paths, config.name, config.attempt);
    if (!prepared.ok()) return fail(prepared.error());
    for (const auto& sub_path : plan.sub_paths) {
      MountConfig& mount = config.mounts[sub_path.mount];
      auto resolved = files.sub_path(paths, config.name, sub_path.mount, mount.host_path, sub_path.path);
      if (!resolved.ok()) return fail(resolved.error());
      mount.host_path = *resolved;
    }
    result.stage = Started::Stage::kCreate;
    auto id = runtime.create_container(sandbox_id, config, sandbox);
    if (!id.ok()) return fail(id.error());
    result.id = *id;
    result.stage = Started::Stage::kStart;
    auto started = runtime.start_container(*id);
    auto status = runtime.container_status(*id);
    if (status.ok()) result.status = std::move(*status);
    if (!started.ok()) return fail(started.error());
    if (!status.ok()) return fail(status.error());
    result.stage = Started::Stage::kDone;
    return result;
  };
  std::string hash = shape().hash;
  in_background(context_.pool, context_.loop, std::move(work),
                [weak = weak_from_this(), generation = generation_, attempt, hash,
                 resources = shape().resources()](Started result) {
                  auto self = weak.lock();
                  if (!self || self->generation_ != generation) return;
                  if (!result.id.empty()) {
                    // The instance before this one becomes lastState.
                    if (self->current_ && self->current_->state == ContainerState::kExited) {
                      self->last_terminated_ = terminated_state(*self->current_, "containerd");
                    }
                    self->current_.reset();
                    self->id_ = result.id;
                    self->attempt_ = attempt;
                    self->has_instance_ = true;
                    self->in_sandbox_ = true;
                    self->hash_ = hash;
                    self->actual_ = resources;
                    self->again_ = false;
                    self->host_.claim_id(result.id);
                  }
                  self->created(std::move(result));
                });
}

void ContainerRunner::created(Started result) {
  std::string message = result.error.message;
  switch (result.stage) {
    case Started::Stage::kPrepare:
    case Started::Stage::kCreate: {
      record("Warning", "Failed", "Error: " + message);
      bool config = result.stage == Started::Stage::kPrepare;
      return start_failed(config ? "CreateContainerConfigError" : "CreateContainerError", message,
                          context_.loop.now() + kConfigRetry);
    }
    case Started::Stage::kStart:
      record("Normal", "Created", "Container created");
      record("Warning", "Failed", "Error: " + message);
      // Only the answer was lost, or nobody knows: it counts as running until the runtime says otherwise, since a
      // second instance must not run beside it.
      if (!result.status || result.status->state == ContainerState::kRunning) break;
      current_ = result.status;
      current_->state = ContainerState::kExited;
      if (current_->exit_code == 0) current_->exit_code = 128;
      if (current_->reason.empty()) current_->reason = "StartError";
      if (current_->message.empty()) current_->message = message;
      // Who is not started again has ended, with what the start said.
      if (!shape().restarts_after(current_->exit_code)) return start_failed("", "", context_.loop.now());
      return start_failed("RunContainerError", message, context_.loop.now() + count_restart());
    case Started::Stage::kDone:
      record("Normal", "Created", "Container created");
      record("Normal", "Started", "Container started");
      break;
  }
  count_restart();
  waiting_reason_.clear();
  waiting_message_.clear();
  current_ = std::move(result.status);
  // Programs that end at once are seen here already.
  if (current_ && current_->state == ContainerState::kExited) {
    phase_ = ContainerPhase::kRunning;
    return look();
  }
  auto hook = read_handler(shape().document->at({"lifecycle", "postStart"}), *shape().document);
  if (hook.ok() && hook->kind != Handler::Kind::kNone) return run_post_start(*hook);
  running();
}

// The wait that holds for the instance just started, should it end; the next one's is longer. The first restart
// is immediate, so the first instance does not count.
Duration ContainerRunner::count_restart() {
  Instant now = context_.loop.now();
  Duration wait = back_off_.current(now);
  if (attempt_ > 0) back_off_.next(now);
  return wait;
}

void ContainerRunner::run_post_start(const Handler& handler) {
  auto done = [weak = weak_from_this(), generation = generation_](HandlerAnswer answer) {
    auto self = weak.lock();
    if (!self || self->generation_ != generation) return;
    if (!answer.success) {
      self->record("Warning", "FailedPostStartHook", "PostStartHook failed");
      self->condemned_ = StopCause::kPostStartFailed;
      log::debug("node", "postStart of {}: {}", self->shape().name, answer.output);
    }
    self->running();
  };
  if (handler.kind == Handler::Kind::kSleep) {
    context_.loop.call_after(handler.sleep, [done] { done({true, ""}); });
    return;
  }
  auto work = [&runtime = context_.runtime, &dialer = context_.dialer, handler, id = id_,
               ip = host_.downward().pod_ips.empty() ? std::string() : host_.downward().pod_ips.front()] {
    // No limit of its own: the hook may take as long as it likes, and the pod waits (docs: lifecycle hooks).
    return run_handler(handler, id, ip, std::chrono::hours(24), runtime, dialer);
  };
  in_background(context_.pool, context_.loop, std::move(work), done);
}

void ContainerRunner::running() {
  phase_ = ContainerPhase::kRunning;
  if (!condemned_) start_probes();
  if (shape().document->at("stdin").as_bool()) settle();
  host_.container_changed();
  // The exit may have been told while the start was under way.
  look();
}

// Whoever opened the container's input means to attach to it once it runs, and would miss what a short command has
// printed by then. Seen as ended at once, its log is read instead.
void ContainerRunner::settle() {
  settling_ = true;
  context_.loop.call_after(kSettle, [weak = weak_from_this(), generation = generation_] {
    auto self = weak.lock();
    if (!self || self->generation_ != generation) return;
    self->settling_ = false;
    self->host_.container_changed();
  });
}

void ContainerRunner::look() {
  if (id_.empty() || phase_ == ContainerPhase::kStarting) return;
  std::string_view policy = shape().document->at("terminationMessagePolicy").as_string();
  in_background(
      context_.pool, context_.loop,
      [&runtime = context_.runtime, &files = context_.files, paths = host_.paths(), name = shape().name, id = id_,
       from_log = policy == "FallbackToLogsOnError"] {
        return read_container_status(runtime, files, paths, name, from_log, id);
      },
      [weak = weak_from_this(), generation = generation_](Result<ContainerStatus> status) {
        auto self = weak.lock();
        if (!self || self->generation_ != generation) return;
        if (!status.ok()) return self->look_again();
        if (self->phase_ == ContainerPhase::kExited) {
          if (status->state == ContainerState::kExited) self->current_ = std::move(*status);
          return self->host_.container_changed();
        }
        // While stopping, only the stop's own answer ends the phase: preStop and grace are its business.
        if (self->phase_ != ContainerPhase::kRunning) return;
        if (status->state == ContainerState::kRunning) {
          if (self->current_) return;
          self->current_ = std::move(*status);
          return self->host_.container_changed();
        }
        self->ended(std::move(*status));
      });
}

// What could not be read is read later: the event that asked for it does not come twice.
void ContainerRunner::look_again() {
  context_.loop.call_after(kLookRetry, [weak = weak_from_this(), generation = generation_] {
    auto self = weak.lock();
    if (self && self->generation_ == generation) self->look();
  });
}

void ContainerRunner::ended(ContainerStatus status) {
  stop_probes();
  phase_ = ContainerPhase::kExited;
  started_ = false;
  condemned_.reset();
  // A record that lost its times keeps what was known.
  if (current_ && status.started_at.time_since_epoch().count() == 0) {
    status.started_at = current_->started_at;
    status.image_ref = current_->image_ref;
    status.finished_at = context_.loop.wall_now();
  }
  current_ = std::move(status);
  current_->state = ContainerState::kExited;
  ready_ = shape().kind == ContainerKind::kInit && current_->exit_code == 0;
  set_crash_back_off();
  host_.container_changed();
}

void ContainerRunner::set_crash_back_off() {
  if (again_ || !shape().restarts_after(current_->exit_code)) return;
  Instant now = context_.loop.now();
  Duration wait = back_off_.current(now);
  not_before_ = now + wait;
  const PodShape& pod = host_.shape();
  if (wait == Duration(0) || pod.pod->deleting()) return;
  waiting_reason_ = "CrashLoopBackOff";
  waiting_message_ = fmt::format("back-off {} restarting failed container={} pod={}_{}({})",
                                 object::format_duration(wait), shape().name, pod.name, pod.ns, pod.uid);
  record(
      "Warning", "BackOff",
      fmt::format("Back-off restarting failed container {} in pod {}_{}({})", shape().name, pod.name, pod.ns, pod.uid));
}

void ContainerRunner::inputs_changed() {
  if (!waiting_for_inputs_) return;
  waiting_for_inputs_ = false;
  not_before_ = context_.loop.now();
}

void ContainerRunner::sandbox_changed() {
  in_sandbox_ = false;
  not_before_ = Instant{};
}

ContainerObservation ContainerRunner::observe() const {
  ContainerObservation seen;
  seen.phase = phase_;
  seen.in_sandbox = in_sandbox_;
  seen.exit_code = current_ ? current_->exit_code : 0;
  seen.started = started_;
  seen.ever_ran = has_instance_ || recalled_existed_;
  seen.condemned = condemned_;
  seen.again = again_;
  if (phase_ == ContainerPhase::kRunning && !condemned_) {
    if (hash_ != shape().hash) {
      seen.condemned = StopCause::kChanged;
    } else if (is_resizable(shape().kind) && resize_restarts(shape(), actual_)) {
      seen.condemned = StopCause::kResized;
    }
  }
  seen.not_before = not_before_;
  return seen;
}

ContainerReport ContainerRunner::report() const {
  ContainerReport report;
  const bool settles = settling_ && phase_ == ContainerPhase::kRunning;
  report.phase = settles ? ContainerPhase::kStarting : phase_;
  report.current = current_;
  report.last_terminated = last_terminated_;
  // An ephemeral one that ended, however it did, is not waited for.
  if (shape().kind != ContainerKind::kEphemeral || !current_) {
    report.waiting_reason = waiting_reason_;
    report.waiting_message = waiting_message_;
  }
  // What ended for good by its policy and comes back all the same is never told as ended.
  if (again_ && report.waiting_reason.empty()) report.waiting_reason = "ContainerCreating";
  if (current_ && is_resizable(shape().kind)) {
    bool lives = phase_ == ContainerPhase::kRunning || phase_ == ContainerPhase::kStopping;
    report.resources = lives ? actual_ : shape().resources();
  }
  report.restart_count = std::max(has_instance_ ? attempt_ : 0, recalled_restarts_.value_or(0));
  report.started = started_ && !settles;
  report.ready = ready_ && !settles && shape().kind != ContainerKind::kEphemeral;
  return report;
}

}  // namespace stead::node
