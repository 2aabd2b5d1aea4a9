// The part of PodWorker that makes and ends sandboxes, and ends the pod's object.

#include <algorithm>

#include "base/log.h"
#include "node/pods/pod_worker.h"

namespace stead::node {
namespace {

using object::Value;

constexpr Duration kSandboxRetryFirst = std::chrono::seconds(1);
constexpr Duration kSandboxRetryMax = std::chrono::seconds(60);
constexpr Duration kDeleteRetryFirst = std::chrono::milliseconds(100);
constexpr Duration kDeleteRetryMax = std::chrono::seconds(10);

Duration longer(Duration& wait, Duration first, Duration max) {
  wait = wait == Duration(0) ? first : std::min(wait * 2, max);
  return wait;
}

Result<void> remove_sandboxes(ContainerRuntime& runtime, const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    auto stopped = runtime.stop_sandbox(id);
    if (!stopped.ok() && stopped.error().reason != Reason::kNotFound) return stopped.error();
    auto removed = runtime.remove_sandbox(id);
    if (!removed.ok() && removed.error().reason != Reason::kNotFound) return removed.error();
  }
  return {};
}

}  // namespace

void PodWorker::retry_sandbox(const char* event, const std::string& message) {
  record("Warning", event, message);
  sandbox_not_before_ = context_.loop.now() + longer(sandbox_retry_, kSandboxRetryFirst, kSandboxRetryMax);
}

void PodWorker::create_sandbox() {
  auto config = sandbox_config(shape_, context_.options, paths_, sandboxes_made_);
  if (!config.ok()) {
    retry_sandbox("FailedCreatePodSandBox", "Failed to create pod sandbox: " + config.error().message);
    return reconcile();
  }
  bool again = sandboxes_made_ > 0;
  if (again) record("Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
  sandbox_phase_ = SandboxPhase::kCreating;
  std::vector<std::string> old = old_sandboxes_;
  if (!sandbox_id_.empty()) old.push_back(sandbox_id_);
  struct Made {
    std::string id;
    Result<SandboxStatus> status = Error{};
  };
  auto work = [&runtime = context_.runtime, &files = context_.files, config = *config, paths = paths_, old,
               shape = shape_, domain = context_.options.cluster_domain, host_ip = context_.options.node_ip]() {
    Made made;
    // What is left of the old one goes first: its address and its port mappings are wanted again.
    auto removed = remove_sandboxes(runtime, old);
    if (!removed.ok()) {
      made.status = removed.error();
      return made;
    }
    auto id = runtime.run_sandbox(config);
    if (!id.ok()) {
      made.status = id.error();
      return made;
    }
    made.id = *id;
    made.status = runtime.sandbox_status(*id);
    if (!made.status.ok()) return made;
    std::vector<std::string> ips;
    if (shape.host_network) {
      ips.push_back(host_ip);
    } else if (!made.status->ip.empty()) {
      ips.push_back(made.status->ip);
      ips.insert(ips.end(), made.status->additional_ips.begin(), made.status->additional_ips.end());
    }
    auto hostname = pod_hostname(shape, domain);
    std::string host_file = shape.host_network ? files.host_hosts_file() : std::string();
    auto written = files.write_hosts(paths, hosts_file(shape, *hostname, ips, host_file));
    if (!written.ok()) made.status = written.error();
    return made;
  };
  in_background(context_.pool, context_.loop, std::move(work), [weak = weak_from_this(), config = *config](Made made) {
    auto self = weak.lock();
    if (!self) return;
    for (auto& runner : self->runners_) runner->sandbox_changed();
    if (!made.id.empty()) {
      self->old_sandboxes_.clear();
      self->sandbox_id_ = made.id;
      self->sandbox_config_ = config;
      ++self->sandboxes_made_;
      self->host_.claim_id(made.id, *self);
    }
    if (!made.status.ok()) {
      self->sandbox_phase_ = made.id.empty() && self->sandbox_id_.empty() ? SandboxPhase::kAbsent : SandboxPhase::kDead;
      self->retry_sandbox("FailedCreatePodSandBox", "Failed to create pod sandbox: " + made.status.error().message);
      return self->recover();
    }
    self->sandbox_retry_ = Duration(0);
    self->sandbox_phase_ = SandboxPhase::kReady;
    self->sandbox_ready(*made.status);
    self->reconcile();
  });
}

// A creation may have succeeded though its answer was lost (or an earlier life asked for it): what the runtime holds
// under this uid is found and removed before the next try.
void PodWorker::recover() {
  auto work = [&runtime = context_.runtime, uid = shape_.uid]() -> Result<std::vector<SandboxInfo>> {
    STEAD_TRY(all, runtime.list_sandboxes());
    std::erase_if(all, [&](const SandboxInfo& sandbox) { return sandbox.uid != uid; });
    return all;
  };
  in_background(context_.pool, context_.loop, std::move(work),
                [weak = weak_from_this()](Result<std::vector<SandboxInfo>> found) {
                  auto self = weak.lock();
                  if (!self) return;
                  if (found.ok()) {
                    for (const SandboxInfo& sandbox : *found) {
                      if (sandbox.id != self->sandbox_id_) self->old_sandboxes_.push_back(sandbox.id);
                      self->sandboxes_made_ = std::max(self->sandboxes_made_, sandbox.attempt + 1);
                      if (self->sandbox_phase_ == SandboxPhase::kAbsent) self->sandbox_phase_ = SandboxPhase::kDead;
                    }
                  }
                  self->reconcile();
                });
}

void PodWorker::sandbox_ready(const SandboxStatus& status) {
  ips_.clear();
  if (shape_.host_network) {
    ips_.push_back(context_.options.node_ip);
  } else if (!status.ip.empty()) {
    ips_.push_back(status.ip);
    ips_.insert(ips_.end(), status.additional_ips.begin(), status.additional_ips.end());
  }
}

void PodWorker::look_at_sandbox() {
  if (sandbox_phase_ != SandboxPhase::kReady) return;
  in_background(
      context_.pool, context_.loop,
      [&runtime = context_.runtime, id = sandbox_id_] { return runtime.sandbox_status(id); },
      [weak = weak_from_this(), id = sandbox_id_](Result<SandboxStatus> status) {
        auto self = weak.lock();
        if (!self || self->sandbox_id_ != id || self->sandbox_phase_ != SandboxPhase::kReady) return;
        bool lost = !status.ok() && status.error().reason == Reason::kNotFound;
        if (!lost && (!status.ok() || status->ready)) return;
        self->sandbox_phase_ = SandboxPhase::kDead;
        self->reconcile();
      });
}

void PodWorker::stop_sandbox(bool remove) {
  SandboxPhase before = sandbox_phase_;
  sandbox_phase_ = SandboxPhase::kStopping;
  std::vector<std::string> ids = old_sandboxes_;
  if (!sandbox_id_.empty()) ids.push_back(sandbox_id_);
  auto work = [&runtime = context_.runtime, ids, remove]() -> Result<void> {
    if (remove) return remove_sandboxes(runtime, ids);
    for (const std::string& id : ids) {
      auto stopped = runtime.stop_sandbox(id);
      if (!stopped.ok() && stopped.error().reason != Reason::kNotFound) return stopped.error();
    }
    return {};
  };
  in_background(context_.pool, context_.loop, std::move(work),
                [weak = weak_from_this(), before, remove](Result<void> done) {
                  auto self = weak.lock();
                  if (!self) return;
                  if (!done.ok()) {
                    self->sandbox_phase_ = before;
                    self->retry_sandbox("FailedKillPod",
                                        "error killing pod: failed to \"KillPodSandbox\": " + done.error().message);
                    return self->reconcile();
                  }
                  self->sandbox_phase_ = remove ? SandboxPhase::kAbsent : SandboxPhase::kStopped;
                  if (remove) {
                    self->sandbox_id_.clear();
                    self->old_sandboxes_.clear();
                  }
                  self->reconcile();
                });
}

// The last step: from here on the name may be used again (DESIGN: at most one).
void PodWorker::delete_object() {
  object_deleted_ = true;
  client::Request request;
  request.verb = client::Verb::kDelete;
  request.resource = "pods";
  request.ns = shape_.ns;
  request.name = shape_.name;
  request.body = Value::object({{"apiVersion", "v1"},
                                {"kind", "DeleteOptions"},
                                {"gracePeriodSeconds", 0},
                                {"preconditions", Value::object({{"uid", shape_.uid}})}});
  context_.transport.call(std::move(request), [weak = weak_from_this()](const Result<client::Response>& response) {
    auto self = weak.lock();
    if (!self || response.ok()) return;
    Reason reason = response.error().reason;
    // Gone already, or followed by another one: the watch will tell.
    if (reason == Reason::kNotFound || reason == Reason::kConflict) return;
    log::warning("node", "deletion of {}/{}: {}", self->shape_.ns, self->shape_.name, response.error().message);
    self->context_.loop.call_after(longer(self->delete_retry_, kDeleteRetryFirst, kDeleteRetryMax), [weak] {
      auto later = weak.lock();
      if (!later) return;
      later->object_deleted_ = false;
      later->reconcile();
    });
  });
}

}  // namespace stead::node
