#pragma once

// The node's own objects: Node (identity, capacity, conditions, images) and its Lease in kube-node-lease, the
// heartbeat (KEP-589). The Node's status is written when something about it changes, when somebody else has changed its
// conditions (a node that was thought lost is back), and every status_period. One loop.
//
// A node whose object is deleted while it is in touch has been sent away: it ends its pods and stays out until its node
// part is started again. One that was out of touch when that happened comes back as a new node, which is not Ready, and
// so takes no new work, before everything is gone that ran on the old one.

#include <functional>
#include <memory>
#include <optional>
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
  // What of a former life still has to be cleaned away; empty: nothing (any more); nullopt: not known yet.
  using LeftOver = std::function<std::optional<std::string>()>;
  Registration(const NodeContext& context, LeftOver left_over);
  ~Registration();
  void start();
  // What left_over() says has changed.
  void cleaned();
  // Looks at the runtime again; on a change the status follows at once.
  void refresh();
  bool ready() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stead::node
