#pragma once

// Deletes bootstrap tokens (Secrets of type bootstrap.kubernetes.io/token) that have expired. One loop.

#include "client/informer_set.h"
#include "client/work_queue.h"

namespace stead::controllers {

// When the token's Secret says that it ends; nullopt: never, or it is no token. Pure.
std::optional<WallTime> token_end(const object::Object& secret);

class TokenCleaner {
 public:
  // All references outlive this. Before informers.start().
  TokenCleaner(client::ApiTransport& transport, loop::Loop& loop, client::InformerSet& informers);
  void start();

 private:
  void work(const std::string& key, client::WorkQueue::Finish finish);

  client::ApiTransport& transport_;
  loop::Loop& loop_;
  client::InformerSet& informers_;
  client::Informer& secrets_;
  client::WorkQueue queue_;
};

}  // namespace stead::controllers
