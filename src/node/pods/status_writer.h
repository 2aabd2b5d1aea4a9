#pragma once

// StatusWriter: brings one pod's status subresource to what was last asked for: one write at a time, only what
// differs, the newest wish wins, failures are tried again with back-off. One loop.

#include <memory>

#include "client/transport.h"
#include "loop/loop.h"
#include "object/object.h"

namespace stead::node {

class StatusWriter {
 public:
  StatusWriter(client::ApiTransport& transport, loop::Loop& loop);
  ~StatusWriter();
  // The newest object known from the watch.
  void observe(const object::ObjectPtr& pod);
  void write(object::Value desired);
  // The object that is newest: seen by observe() or answered to a write. May be null.
  object::ObjectPtr newest() const;
  // No more writes: the object is gone.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stead::node
