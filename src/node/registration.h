#pragma once

// The node's own objects: Node (identity, capacity, conditions, images) and its Lease in kube-node-lease, the
// heartbeat (KEP-589). The Node's status is written when something about it changes and every status_period.
// One loop.

#include <memory>
#include <string>
#include <vector>

#include "node/node_context.h"

namespace stead::node {

struct NodeState {
  std::string runtime_version;
  std::string not_ready;  // why; empty: ready
  std::vector<ImageInfo> images;
};

// Pure: the object to register, and the status to report. `old` is the status known so far (transition times).
object::Value node_object(const NodeOptions& options);
object::Value node_status(const NodeOptions& options, const NodeState& state, const object::Value& old, WallTime now);

class Registration {
 public:
  explicit Registration(const NodeContext& context);
  ~Registration();
  void start();
  // Looks at the runtime again; on a change the status follows at once.
  void refresh();
  bool ready() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stead::node
