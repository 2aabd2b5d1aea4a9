#pragma once

// Wires daemonset_policy to the API. One loop.

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/work_queue.h"
#include "controllers/daemonset/daemonset_policy.h"
#include "controllers/expectations.h"

namespace stead::controllers {

class DaemonSetController {
 public:
  // All references outlive this. Before informers.start().
  DaemonSetController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                      client::InformerSet& informers);
  // Work begins once the informers are synced. Call once.
  void start();

 private:
  // What is remembered of a set between two looks at it.
  struct Failures {
    struct OfNode {
      Duration delay{};
      WallTime retry_at{};
    };
    std::map<std::string, OfNode> nodes;
  };

  void node_changed(const client::ObjectPtr& before, const client::ObjectPtr& after);
  void pod_changed(const client::ObjectPtr& before, const client::ObjectPtr& after);
  void enqueue_owner(const object::Object& pod);
  std::optional<daemonset::Observed> observe(const std::string& key) const;
  statefulset::History history_of(const daemonset::Observed& observed) const;
  void note_failures(const client::ObjectPtr& set, const std::vector<client::ObjectPtr>& failed);

  void work(const std::string& key, client::WorkQueue::Finish finish);
  // Once the template's revision exists.
  void change_pods(const std::string& key, const std::string& hash, client::WorkQueue::Finish finish);
  void write_status(const std::string& key, client::Outcome outcome, client::WorkQueue::Finish finish);

  client::ApiTransport& transport_;
  loop::Loop& loop_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  client::Informer& sets_;
  client::Informer& pods_;
  client::Informer& nodes_;
  client::Informer& revisions_;
  std::shared_ptr<Expectations> expectations_;
  std::map<std::string, Failures> failures_;  // by the set's UID
  client::WorkQueue queue_;
};

}  // namespace stead::controllers
