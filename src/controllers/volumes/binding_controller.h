#pragma once

// Wires binding_policy to the API. One loop.

#include <set>

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/work_queue.h"

namespace stead::controllers {

class VolumeBindingController {
 public:
  // All references outlive this. Before informers.start().
  VolumeBindingController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                          client::InformerSet& informers);
  void start();

 private:
  void claim_changed(const client::ObjectPtr& claim);
  void volume_changed(const client::ObjectPtr& volume);
  void work_claim(const std::string& key, client::WorkQueue::Finish finish);
  void settle_claim(const std::string& key, const client::ObjectPtr& chosen, client::WorkQueue::Finish finish,
                    client::Outcome outcome);
  void work_volume(const std::string& key, client::WorkQueue::Finish finish);
  std::vector<client::ObjectPtr> candidates(const std::string& claim) const;

  client::ApiTransport& transport_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  client::Informer& claims_;
  client::Informer& volumes_;
  client::Informer& classes_;
  client::Informer& pods_;
  client::WorkQueue claim_queue_;
  client::WorkQueue volume_queue_;
  // One key: look at every unbound claim again. A queue, so that many changes at once make one round.
  client::WorkQueue round_queue_;
  // Free volumes that a claim is being given right now: no other claim may count on them.
  std::set<std::string, std::less<>> taken_;
};

// "ns/name" of each claim that the pod mounts, those of its ephemeral volumes included.
std::vector<std::string> index_by_claim(const object::Object& pod);

}  // namespace stead::controllers
