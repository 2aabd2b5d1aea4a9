#pragma once

// PodWorker: one pod (one uid) on this node, from its assignment until nothing of it is left. Observes, asks
// decide() (pod_policy.h), carries out the actions, reports the status. Everything happens on the node's loop; work
// that blocks goes to the pool and comes back. reconcile() may be asked for at any time and runs once, later.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/containers/container_runner.h"
#include "node/pods/pod_admission.h"
#include "node/pods/status_writer.h"

namespace stead::node {

class PodWorker;

// What a pod needs of its node.
class PodHost {
 public:
  virtual ~PodHost() = default;
  // Whether an older uid of the same name still has something here.
  virtual bool predecessor_alive(const PodWorker& worker) const = 0;
  virtual void claim_id(const std::string& runtime_id, PodWorker& worker) = 0;
  // The pod asks for other resources than it was allocated, or has given some back: answer_resize() follows, later, for
  // every pod that waits for room.
  virtual void resize_wanted(PodWorker& worker) = 0;
  // Nothing is left of the pod; the worker is dropped (later, not within this call).
  virtual void forgotten(PodWorker& worker) = 0;
};

// What the runtime holds of one pod.
struct RuntimePod {
  std::vector<SandboxStatus> sandboxes;
  std::vector<ContainerStatus> containers;
};

class PodWorker final : public std::enable_shared_from_this<PodWorker>, public ContainerHost {
 public:
  PodWorker(const NodeContext& context, PodHost& host, object::ObjectPtr pod);
  ~PodWorker() override;

  // Takes over what runs already, before the first reconcile.
  void adopt(RuntimePod found);
  void update(object::ObjectPtr pod);
  void object_gone();
  // Holds everything back until the node has taken the pod, or refused it: then it fails without having run.
  void hold() { held_ = true; }
  void release();
  void refuse(PodRefusal refusal);
  bool is_held() const { return held_; }
  // Whether it may hold something of the node: taken, and neither failed nor finished nor gone.
  bool counts() const;
  // Something happened to one of the pod's ids, or (empty) to something.
  void runtime_event(const std::string& container_id);
  void reconcile();

  // Whether the object is gone, and what runs only has to end.
  bool is_gone() const { return wish_ == PodWish::kGone; }
  const std::string& uid() const { return shape_.uid; }
  const std::string& ns() const { return shape_.ns; }
  const std::string& name() const { return shape_.name; }
  object::ObjectPtr pod() const { return shape_.pod; }
  // For streams: the runtime's id of a container (empty: none) and of the sandbox.
  std::string container_id(const std::string& container) const override;
  const ContainerRunner* runner(const std::string& container) const;
  const std::string& sandbox_id() const override { return sandbox_id_; }
  const PodPaths& paths() const override { return paths_; }
  const PodShape& shape() const override { return shape_; }
  const std::vector<std::string>& ips() const { return ips_; }
  // Whether what is allocated to the pod counts on its node; whether it waits for other resources.
  bool holds_room() const;
  bool wants_room() const;
  void answer_resize(const ResizeVerdict& verdict);
  // Fails the pod for good, because of what `message` says, and ends it within `grace`. Nothing if it ends already.
  void evict(std::string message, std::chrono::seconds grace);
  // Whether it is to run on.
  bool is_active() const { return wish_ == PodWish::kRun && !ending_since_ && failed_reason_.empty(); }

 private:
  const SandboxConfig& sandbox() const override { return sandbox_config_; }
  const std::vector<VolumePlan>& volumes() const override { return volumes_; }
  DownwardFacts downward() const override;
  object::ObjectPtr find(std::string_view resource, std::string_view name) const override;
  Environment services() const override;
  void container_changed() override { reconcile(); }
  void claim_id(const std::string& id) override { host_.claim_id(id, *this); }

  void run();
  void admit();
  PodObservation observe() const;
  void carry_out(const PodAction& action);
  void report_status();

  // pod_inputs.cc
  void want_inputs();
  void input_changed();
  bool inputs_known() const;
  void set_up_volumes();
  void want_tokens(std::function<void()> then);
  void renew_tokens_later();
  void volumes_failed(const std::string& message);
  void tear_down_volumes();

  // pod_resize_steps.cc
  void recall_resize();
  void ask_for_resize();
  void follow_resize();

  // pod_sandbox.cc
  void create_sandbox();
  void sandbox_ready(const SandboxStatus& status);
  void stop_sandbox(bool remove);
  void look_at_sandbox();
  void delete_object();
  void recover();
  void record(const char* type, const char* reason, std::string message);
  void retry_sandbox(const char* event, const std::string& message);

  NodeContext context_;
  PodHost& host_;
  PodShape shape_;
  PodPaths paths_;
  StatusWriter status_;
  bool scheduled_ = false;
  bool forgotten_ = false;
  bool admitted_ = false;
  PodWish wish_ = PodWish::kRun;
  std::optional<Instant> ending_since_;
  loop::TimerId timer_ = loop::TimerId::kNone;
  std::string start_time_;
  Instant started_{};
  std::string failed_reason_, failed_message_;
  std::optional<std::chrono::seconds> grace_max_;  // of an eviction
  bool held_ = false;
  bool object_deleted_ = false;
  Duration delete_retry_{};

  std::map<std::pair<std::string, std::string>, ObjectSource::Interest> inputs_;
  std::vector<VolumePlan> volumes_;
  Tokens tokens_;
  bool tokens_wanted_ = false;
  Instant tokens_renew_at_ = Instant::max();
  bool volumes_ready_ = false;
  bool volumes_busy_ = false;
  bool volumes_stale_ = false;
  bool volumes_present_ = false;
  bool directory_present_ = true;
  Instant volumes_not_before_{};
  Duration volumes_retry_{};

  SandboxPhase sandbox_phase_ = SandboxPhase::kAbsent;
  std::string sandbox_id_;
  SandboxConfig sandbox_config_;
  std::vector<std::string> old_sandboxes_;
  uint32_t sandboxes_made_ = 0;
  Instant sandbox_not_before_{};
  Duration sandbox_retry_{};
  std::vector<std::string> ips_;
  std::vector<std::shared_ptr<ContainerRunner>> runners_;
  ResizeState resize_;
};

}  // namespace stead::node
