#pragma once

// Claims of pods' own: one POD-VOLUME for each volume of type ephemeral, made from its template and owned by the pod,
// with which it goes (KEP-1698). A claim of that name that is not the pod's is left alone, and the pod told. One loop.

#include <functional>
#include <string_view>

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/plan.h"
#include "client/work_queue.h"

namespace stead::controllers {

// The creates of missing claims, and the events for foreign ones. `claim` finds by name in the pod's namespace. Pure.
client::Plan decide_ephemeral_claims(const client::ObjectPtr& pod,
                                     const std::function<client::ObjectPtr(std::string_view name)>& claim);

class EphemeralController {
 public:
  // All references outlive this. Before informers.start().
  EphemeralController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                      client::InformerSet& informers);
  void start();

 private:
  void work(const std::string& key, client::WorkQueue::Finish finish);

  client::ApiTransport& transport_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  client::Informer& pods_;
  client::Informer& claims_;
  client::WorkQueue queue_;
};

}  // namespace stead::controllers
