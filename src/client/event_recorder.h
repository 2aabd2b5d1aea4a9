#pragma once

// Events about objects, as `kubectl describe` shows them. Equal events within ten minutes are counted on one Event
// object instead of repeated; at most 25 at once and one every five minutes after that per object (the limits of
// client-go's correlator), so that a failing loop cannot flood the store.

#include <memory>
#include <string>

#include "client/transport.h"
#include "loop/loop.h"

namespace stead::client {

struct Event {
  ObjectPtr about;     // involvedObject; apiVersion and kind are read from the document
  std::string type;    // "Normal", "Warning"
  std::string reason;  // "SuccessfulCreate"
  std::string message;
  std::string field_path;  // "spec.containers{name}"
};

class EventRecorder {
 public:
  // `component` is source.component, `host` source.host (may be empty).
  EventRecorder(ApiTransport& transport, loop::Loop& loop, std::string component, std::string host = {});
  ~EventRecorder();
  void record(Event event);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stead::client
