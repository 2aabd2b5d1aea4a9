#pragma once

// ContainerRunner: one container of one pod, through all its instances. Carries out starts and stops that the pod's
// policy decided, follows the instance in the runtime, runs its probes and hooks, and says what it sees.
//
//   kAbsent ──start()──▶ kStarting ──▶ kRunning ──stop()──▶ kStopping ──▶ kExited
//      ▲                    │ image, config, runtime failed     └─ exit, seen by look() ─▶ kExited ──start()──▶ …
//      └────────────────────┘ (with a waiting reason and a time before which it is not tried again)
//
// One loop; blocking work goes to the pool and comes back. Belongs to its PodWorker.

#include <memory>
#include <optional>
#include <string>

#include "node/containers/container_plan.h"
#include "node/node_context.h"
#include "node/pods/pod_policy.h"
#include "node/pods/pod_status.h"
#include "node/probes/prober.h"

namespace stead::node {

// What a container needs of its pod.
class ContainerHost {
 public:
  virtual ~ContainerHost() = default;
  virtual const PodShape& shape() const = 0;
  virtual const PodPaths& paths() const = 0;
  virtual const std::string& sandbox_id() const = 0;
  // The runtime's id of another container of the pod; empty: none.
  virtual std::string container_id(const std::string& container) const = 0;
  virtual const SandboxConfig& sandbox() const = 0;
  virtual const std::vector<VolumePlan>& volumes() const = 0;
  virtual DownwardFacts downward() const = 0;
  virtual object::ObjectPtr find(std::string_view resource, std::string_view name) const = 0;
  virtual Environment services() const = 0;
  virtual void container_changed() = 0;
  // The runtime's id now belongs to this pod: events about it come here.
  virtual void claim_id(const std::string& id) = 0;
};

class ContainerRunner : public std::enable_shared_from_this<ContainerRunner> {
 public:
  ContainerRunner(const NodeContext& context, ContainerHost& host, size_t index);
  ~ContainerRunner();

  // Takes over what an earlier life of the node part left: the newest instance, and what the API says of it.
  void adopt(const ContainerStatus& newest);
  // What the API remembers of a container that the runtime does not know (any more).
  void recall(const object::Value& api_status);

  void start();
  void stop(StopCause cause, std::chrono::seconds grace);
  // A stop under way gets less time than it was given.
  void shorten_stop(std::chrono::seconds grace);
  // Reads the instance's state from the runtime.
  void look();
  void look_again();
  // What its configuration refers to has changed: a failed start may be tried at once.
  void inputs_changed();
  // The pod has got another sandbox: what is left here belongs to the old one.
  void sandbox_changed();
  // Brings the running instance to what is allocated to it now (KEP-1287), unless it has to be restarted for that.
  void resize();
  // Whether the running instance, if there is one, has what is allocated to it.
  bool has_allocation() const;
  // Why the last try to resize failed; empty: it did not.
  const std::string& resize_error() const { return resize_error_; }

  ContainerObservation observe() const;
  ContainerReport report() const;
  const std::string& id() const { return id_; }
  uint32_t attempt() const { return attempt_; }

 private:
  struct Started;
  const ContainerShape& shape() const { return host_.shape().containers[index_]; }
  void record(const char* type, const char* reason, std::string message);
  void start_failed(std::string reason, std::string message, Instant retry_at);
  void create(const std::optional<ImageInfo>& image);
  void created(Started result);
  void start_adopted();
  void discard(Duration retry);
  // What is left of a discarded instance: nothing, its running state, or the reason why that is not known yet.
  void discarded(Result<std::optional<ContainerStatus>> left, Duration retry);
  Duration count_restart();
  void run_post_start(const Handler& handler);
  void running();
  void settle();
  void ended(ContainerStatus status);
  void stop_now(std::chrono::seconds grace);
  void finish_stop(Result<ContainerStatus> status, std::chrono::seconds grace);
  void start_probes();
  void start_probe(ProbeKind kind);
  void take_verdict(ProbeKind kind, bool success);
  void stop_probes();
  void set_crash_back_off();
  void resized(const object::Value& wanted, const Result<void>& done);
  uint32_t next_attempt() const;

  NodeContext context_;
  ContainerHost& host_;
  const size_t index_;

  ContainerPhase phase_ = ContainerPhase::kAbsent;
  uint64_t generation_ = 0;  // of the instance: answers about earlier ones are dropped
  std::string id_;
  uint32_t attempt_ = 0;
  bool has_instance_ = false;
  bool in_sandbox_ = true;
  std::string hash_;
  std::optional<ContainerStatus> current_;
  object::Value last_terminated_;
  std::optional<uint32_t> recalled_restarts_;
  bool recalled_existed_ = false;
  bool recalled_started_ = false;
  bool recalled_ready_ = false;
  std::string recalled_id_;
  object::Value recalled_resources_;

  std::string waiting_reason_;
  std::string waiting_message_;
  bool waiting_for_inputs_ = false;
  BackOff back_off_ = kubelet_back_off();
  Instant not_before_{};
  Duration stop_retry_{};

  bool settling_ = false;  // runs, but is not told to
  bool started_ = false;
  bool ready_ = false;
  std::optional<StopCause> condemned_;
  bool again_ = false;
  object::Value actual_;  // the resources of the running instance
  bool resizing_ = false;
  object::Value resize_refused_;  // what could not be given, and is not tried again before:
  Instant resize_not_before_{};
  Duration resize_retry_{};
  std::string resize_error_;
  std::unique_ptr<Prober> probers_[3];
  loop::TimerId stop_timer_ = loop::TimerId::kNone;
  loop::TimerId discard_timer_ = loop::TimerId::kNone;
};

// The state of an instance with its last words, as FallbackToLogsOnError and the termination message file give
// them. An instance that the runtime does not know counts as killed. Blocks.
Result<ContainerStatus> read_container_status(ContainerRuntime& runtime, NodeFiles& files, const PodPaths& paths,
                                              const std::string& container, bool fall_back_to_log,
                                              const std::string& id);

}  // namespace stead::node
