#pragma once

// Wires scheduling_policy to the API. One loop.
//
//   pod without node ─▶ queue ─▶ choose_node ──node──▶ assumed ──claims bound──▶ POST binding ─▶ Scheduled
//                         ▲            └─none─▶ unschedulable ──relevant change──┐
//                         └─────────────────────────────────────────────────────┘
//
// Pods of higher priority go first. One for which others have to leave is unschedulable with a nominated node: room is
// kept for it there until they have left, which is a relevant change.
//
// An assumed pod counts on its node before the API says so; if settling its claims or binding fails, it is forgotten
// and tried again with back-off. Nothing is retried by polling.

#include <map>
#include <memory>
#include <string>

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/work_queue.h"
#include "scheduler/cluster_state.h"
#include "scheduler/scheduler_metrics.h"
#include "scheduler/scheduling_policy.h"

namespace stead::scheduler {

class Scheduler {
 public:
  // All references outlive this. Before informers.start().
  Scheduler(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
            client::InformerSet& informers, std::string name = "default-scheduler");
  // Work begins once the informers are synced. Call once.
  void start();

 private:
  struct Assumed {
    PodInfoPtr pod;
    std::string node;
    bool binding = false;  // the binding was sent: too late to change one's mind
  };
  struct Unschedulable {
    bool waits_for_storage = false;
    bool waits_for_pods = false;
  };

  void node_changed(const ObjectPtr& before, const ObjectPtr& after);
  void pod_changed(const ObjectPtr& before, const ObjectPtr& after);
  void storage_changed();
  void retry(const std::function<bool(const Unschedulable&)>& which);

  void schedule(const std::string& key, client::WorkQueue::Finish finish);
  void choose(const std::string& key, const ObjectPtr& pod, client::WorkQueue::Finish finish);
  void settle_claims(const std::string& key, const Choice& choice, client::WorkQueue::Finish finish);
  void bind_when_claims_are(const std::string& key, client::WorkQueue::Finish finish);
  void bind(const std::string& key, client::WorkQueue::Finish finish);
  void forget(const std::string& key);
  void make_room(const std::string& key, const ObjectPtr& pod, const Choice& choice);
  void report_failure(const std::string& key, const ObjectPtr& pod, const Choice& choice,
                      client::WorkQueue::Finish finish);

  client::ApiTransport& transport_;
  loop::Loop& loop_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  const std::string name_;
  client::Informer& pods_;
  client::Informer& nodes_;
  client::Informer& claims_;
  client::Informer& volumes_;
  client::Informer& classes_;
  client::Informer& namespaces_;
  client::Informer* budgets_informer_;  // nullptr where the API has none
  StorageView storage_;
  NamespaceLabels namespace_labels_;
  DisruptionBudgets budgets_;
  ClusterState cluster_;
  std::map<std::string, Assumed> assumed_;
  std::map<std::string, Unschedulable> unschedulable_;
  SchedulerMetrics metrics_;
  std::string first_node_;  // where the next search begins
  client::WorkQueue queue_;
};

}  // namespace stead::scheduler
