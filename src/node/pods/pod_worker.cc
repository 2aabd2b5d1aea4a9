#include "node/pods/pod_worker.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "node/pods/pod_admission.h"
#include "object/time.h"

namespace stead::node {

using object::Value;
using Kind = PodAction::Kind;

PodWorker::PodWorker(const NodeContext& context, PodHost& host, object::ObjectPtr pod)
    : context_(context),
      host_(host),
      shape_(read_pod_shape(std::move(pod))),
      paths_(context.options.data_dir, shape_.ns, shape_.name, shape_.uid),
      status_(context.transport, context.loop) {
  status_.observe(shape_.pod);
  const Value& status = shape_.pod->status();
  start_time_ = status.at("startTime").as_string();
  started_ = context_.loop.now();
  if (start_time_.empty()) {
    start_time_ = object::format_time(context_.loop.wall_now());
  } else if (auto parsed = object::parse_time(start_time_)) {
    started_ -= std::max(Duration(0), std::chrono::duration_cast<Duration>(context_.loop.wall_now() - *parsed));
  }
  if (shape_.pod->deleting()) wish_ = PodWish::kDelete;
  recall_resize();
  for (size_t i = 0; i < shape_.containers.size(); ++i) {
    runners_.push_back(std::make_shared<ContainerRunner>(context_, *this, i));
    for (std::string_view list : {"initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"}) {
      for (const Value& one : status.at(list).items()) {
        if (one.at("name").as_string() == shape_.containers[i].name) runners_.back()->recall(one);
      }
    }
  }
}

PodWorker::~PodWorker() { context_.loop.cancel(timer_); }

void PodWorker::adopt(RuntimePod found) {
  std::sort(found.sandboxes.begin(), found.sandboxes.end(),
            [](const auto& a, const auto& b) { return a.attempt < b.attempt; });
  for (const SandboxStatus& sandbox : found.sandboxes) {
    host_.claim_id(sandbox.id, *this);
    if (!sandbox_id_.empty()) old_sandboxes_.push_back(sandbox_id_);
    sandbox_id_ = sandbox.id;
    sandboxes_made_ = sandbox.attempt + 1;
    sandbox_phase_ = sandbox.ready ? SandboxPhase::kReady : SandboxPhase::kDead;
    if (sandbox.ready) sandbox_ready(sandbox);
  }
  auto config = sandbox_config(shape_, context_.options, paths_, sandboxes_made_ == 0 ? 0 : sandboxes_made_ - 1);
  if (config.ok()) sandbox_config_ = std::move(*config);
  volumes_present_ = !found.sandboxes.empty();
  std::map<std::string, ContainerStatus> newest;
  for (ContainerStatus& container : found.containers) {
    auto [at, added] = newest.try_emplace(container.name, container);
    if (!added && at->second.attempt < container.attempt) at->second = container;
  }
  for (size_t i = 0; i < runners_.size(); ++i) {
    auto at = newest.find(shape_.containers[i].name);
    if (at != newest.end()) runners_[i]->adopt(at->second);
  }
}

void PodWorker::update(object::ObjectPtr pod) {
  if (shape_.pod->revision() >= pod->revision()) return;
  status_.observe(pod);
  bool was_deleting = wish_ == PodWish::kDelete;
  auto grace = shape_.grace;
  // Labels and annotations may be shown in files.
  const Value& metadata = shape_.pod->metadata();
  if (metadata.at("labels") != pod->metadata().at("labels") ||
      metadata.at("annotations") != pod->metadata().at("annotations")) {
    volumes_stale_ = true;
  }
  PodShape read = read_pod_shape(std::move(pod), &shape_);
  keep_allocation(read, shape_);
  shape_ = std::move(read);
  if (grace_max_) shape_.grace = std::min(shape_.grace, *grace_max_);
  while (runners_.size() < shape_.containers.size()) {
    runners_.push_back(std::make_shared<ContainerRunner>(context_, *this, runners_.size()));
  }
  if (shape_.pod->deleting() && wish_ == PodWish::kRun) wish_ = PodWish::kDelete;
  ask_for_resize();
  if (was_deleting && shape_.grace < grace) {
    for (auto& runner : runners_) runner->shorten_stop(shape_.grace);
  }
  reconcile();
}

void PodWorker::object_gone() {
  wish_ = PodWish::kGone;
  status_.stop();
  reconcile();
}

void PodWorker::evict(std::string message, std::chrono::seconds grace) {
  if (!is_active()) return;
  failed_reason_ = "Evicted";
  failed_message_ = std::move(message);
  grace_max_ = grace;
  shape_.grace = std::min(shape_.grace, grace);
  record("Warning", "Evicted", failed_message_);
  reconcile();
}

void PodWorker::release() {
  held_ = false;
  reconcile();
}

void PodWorker::refuse(PodRefusal refusal) {
  held_ = false;
  failed_reason_ = std::move(refusal.reason);
  failed_message_ = "Pod was rejected: " + refusal.message;
  record("Warning", failed_reason_.c_str(), refusal.message);
  reconcile();
}

bool PodWorker::counts() const { return !held_ && failed_reason_.empty() && holds_room() && !is_gone(); }

void PodWorker::runtime_event(const std::string& container_id) {
  bool all = container_id.empty();
  for (auto& runner : runners_) {
    if (all || runner->id() == container_id) runner->look();
  }
  if (all || container_id == sandbox_id_) look_at_sandbox();
}

void PodWorker::reconcile() {
  if (scheduled_ || forgotten_) return;
  scheduled_ = true;
  context_.loop.post([weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    self->scheduled_ = false;
    self->run();
  });
}

// Once, before anything is made of a pod that never was here.
void PodWorker::admit() {
  if (std::exchange(admitted_, true) || !is_active() || !holds_room()) return;
  if (sandboxes_made_ > 0 || !shape_.pod->status().at("containerStatuses").empty()) return;
  if (auto refusal = refuse_pod(shape_)) refuse(std::move(*refusal));
}

void PodWorker::run() {
  if (forgotten_) return;
  admit();
  want_inputs();
  follow_resize();
  PodPlan plan = decide(shape_, observe(), context_.loop.now());
  if (plan.deadline_exceeded && failed_reason_.empty()) {
    failed_reason_ = "DeadlineExceeded";
    failed_message_ = "Pod was active on the node longer than the specified deadline";
    record("Normal", "DeadlineExceeded", failed_message_);
  }
  bool ending = wish_ != PodWish::kRun || plan.finished || !failed_reason_.empty();
  if (ending && !ending_since_) ending_since_ = context_.loop.now();
  // Reported before the actions, so that what has ended is told before the next thing begins.
  report_status();
  for (const PodAction& action : plan.actions) carry_out(action);
  if (volumes_ready_ && volumes_stale_ && !volumes_busy_ && !ending) set_up_volumes();
  context_.loop.cancel(timer_);
  timer_ = loop::TimerId::kNone;
  if (plan.look_again) {
    timer_ = context_.loop.call_at(*plan.look_again, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->reconcile();
    });
  }
}

PodObservation PodWorker::observe() const {
  PodObservation seen;
  seen.wish = wish_;
  std::string_view phase = shape_.pod->status().at("phase").as_string();
  seen.failed = !failed_reason_.empty() || phase == "Failed" || phase == "Succeeded";
  seen.predecessor_alive = host_.predecessor_alive(*this);
  seen.inputs_ready = !held_ && inputs_known();
  seen.volumes_ready = volumes_ready_;
  seen.volumes_busy = volumes_busy_;
  seen.volumes_present = volumes_present_ || (wish_ != PodWish::kRun && directory_present_);
  seen.volumes_not_before = volumes_not_before_;
  seen.sandbox = sandbox_phase_;
  seen.sandboxes_made = sandboxes_made_;
  seen.sandbox_not_before = sandbox_not_before_;
  for (const auto& runner : runners_) seen.containers.push_back(runner->observe());
  if (shape_.active_deadline) seen.deadline = started_ + *shape_.active_deadline;
  if (ending_since_) seen.ending_for = context_.loop.now() - *ending_since_;
  seen.object_deleted = object_deleted_;
  return seen;
}

void PodWorker::carry_out(const PodAction& action) {
  switch (action.kind) {
    case Kind::kSetUpVolumes:
      return set_up_volumes();
    case Kind::kCreateSandbox:
      return create_sandbox();
    case Kind::kStartContainer:
      return runners_[action.container]->start();
    case Kind::kStopContainer:
      return runners_[action.container]->stop(action.cause, action.grace);
    case Kind::kStopSandbox:
      return stop_sandbox(false);
    case Kind::kRemoveSandbox:
      return stop_sandbox(true);
    case Kind::kTearDownVolumes:
      return tear_down_volumes();
    case Kind::kDeleteObject:
      return delete_object();
    case Kind::kForget:
      forgotten_ = true;
      context_.images.forget_pod(shape_.uid);
      return host_.forgotten(*this);
  }
}

void PodWorker::report_status() {
  object::ObjectPtr newest = status_.newest();
  if (wish_ == PodWish::kGone || !newest) return;
  StatusInput input;
  bool alive = false;
  bool all_ended = true;
  for (size_t i = 0; i < runners_.size(); ++i) {
    ContainerPhase phase = input.containers.emplace_back(runners_[i]->report()).phase;
    alive = alive || is_alive(phase);
    bool counts = shape_.containers[i].kind != ContainerKind::kEphemeral;
    all_ended = all_ended && (!counts || phase == ContainerPhase::kExited);
  }
  input.sandbox_ready = sandbox_phase_ == SandboxPhase::kReady;
  input.ips = ips_;
  input.host_ips = {context_.options.node_ip};
  input.start_time = start_time_;
  input.failed_reason = failed_reason_;
  input.failed_message = failed_message_;
  input.finished = ending_since_.has_value() && wish_ == PodWish::kRun;
  input.resize = resize_;
  input.ended = wish_ == PodWish::kDelete && !alive && all_ended;
  input.now = context_.loop.wall_now();
  status_.write(build_pod_status(shape_, newest->status(), input));
}

DownwardFacts PodWorker::downward() const {
  const MachineFacts& machine = context_.options.machine;
  return {context_.options.node_name, ips_, {context_.options.node_ip}, machine.cpus * 1000, machine.memory_bytes,
          machine.storage_bytes};
}

std::string PodWorker::container_id(const std::string& container) const {
  const ContainerRunner* found = runner(container);
  return found != nullptr ? found->id() : std::string();
}

const ContainerRunner* PodWorker::runner(const std::string& container) const {
  for (size_t i = 0; i < runners_.size(); ++i) {
    if (shape_.containers[i].name == container) return runners_[i].get();
  }
  return nullptr;
}

void PodWorker::record(const char* type, const char* reason, std::string message) {
  context_.events.record({shape_.pod, type, reason, std::move(message), {}});
}

}  // namespace stead::node
