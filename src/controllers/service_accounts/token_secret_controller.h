#pragma once

// Wires token_secret_policy to the API. One loop.

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/work_queue.h"

namespace stead::controllers {

class TokenSecretController {
 public:
  // All references outlive this. Before informers.start().
  TokenSecretController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                        client::InformerSet& informers);
  // Work begins once the informers are synced. Call once.
  void start();

 private:
  void work(const std::string& key, client::WorkQueue::Finish finish);

  client::ApiTransport& transport_;
  loop::Loop& loop_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  client::Informer& secrets_;
  client::Informer& accounts_;
  client::WorkQueue queue_;
};

}  // namespace stead::controllers
