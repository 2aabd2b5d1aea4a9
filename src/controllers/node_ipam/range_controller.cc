#include "controllers/node_ipam/range_controller.h"

#include "controllers/node_ipam/range_policy.h"
#include "controllers/requests.h"

namespace stead::controllers {
namespace {

using object::Value;

constexpr std::string_view kRolePrefix = "node-role.kubernetes.io/";

bool has_role(const object::Object& node) {
  for (const auto& label : node.metadata().at("labels").members()) {
    if (label.name().starts_with(kRolePrefix)) return true;
  }
  return false;
}

// For that very node, not a later one of its name. The role comes along, once: a person may take it away again.
Request give(const object::Object& node, const std::string& range, std::string_view role) {
  Value metadata = Value::object({{"uid", node.uid()}});
  if (!has_role(node)) metadata.set("labels", Value::object({{std::string(kRolePrefix) + std::string(role), ""}}));
  return patch_request(
      kNodes, node,
      Value::object({{"metadata", std::move(metadata)},
                     {"spec", Value::object({{"podCIDR", range}, {"podCIDRs", Value::array({range})}})}}));
}

bool lacks_range(const object::Object& node) {
  return node.spec().at("podCIDR").as_string().empty() && !node.deleting();
}

}  // namespace

NodeRangeController::NodeRangeController(client::ApiTransport& transport, loop::Loop& loop,
                                         client::EventRecorder& events, client::InformerSet& informers,
                                         const std::string& pod_cidr, std::string control_plane)
    : control_plane_(std::move(control_plane)),
      transport_(transport),
      events_(events),
      informers_(informers),
      cluster_(Ipv4Range::parse(pod_cidr)),
      nodes_(informers.get(kNodes)),
      // One at a time: two would be given the same.
      queue_(loop, "node-ranges", 1, [this](auto& name, auto finish) { work(name, std::move(finish)); }) {
  nodes_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    if (after && lacks_range(*after)) queue_.add(std::string(after->name()));
    if (after || !before) return;
    given_.erase(std::string(before->name()));
    for (const ObjectPtr& node : nodes_.list()) {
      if (lacks_range(*node)) queue_.add(std::string(node->name()));
    }
  });
}

void NodeRangeController::start() {
  if (!cluster_) return;
  informers_.when_synced([this] { queue_.start(); });
}

std::vector<Ipv4Range> NodeRangeController::taken() const {
  std::vector<Ipv4Range> all;
  for (const ObjectPtr& node : nodes_.list()) {
    std::optional<Ipv4Range> range = Ipv4Range::parse(node->spec().at("podCIDR").as_string());
    if (range) all.push_back(*range);
  }
  for (const auto& [name, given] : given_) all.push_back(given.range);
  return all;
}

void NodeRangeController::work(const std::string& name, client::WorkQueue::Finish finish) {
  ObjectPtr node = nodes_.get(name);
  if (!node || !lacks_range(*node)) return finish(client::Outcome::done());
  auto known = given_.find(name);
  if (known != given_.end() && known->second.uid != node->uid()) given_.erase(known);
  std::optional<Ipv4Range> range =
      given_.contains(name) ? given_[name].range : node_ipam::free_range(*cluster_, taken());
  if (!range) {
    events_.record({node, "Warning", "CIDRNotAvailable",
                    "Node " + name + " has no pod addresses: every /" + std::to_string(node_ipam::kNodePrefix) +
                        " of " + cluster_->text() + " is taken",
                    ""});
    return finish(client::Outcome::done());
  }
  given_[name] = {std::string(node->uid()), *range};
  transport_.call(give(*node, range->text(), name == control_plane_ ? "control-plane" : "worker"),
                  [finish](const Result<client::Response>& response) {
                    bool gone = !response.ok() && response.error().reason == Reason::kNotFound;
                    if (response.ok() || gone) return finish(client::Outcome::done());
                    finish(client::Outcome::failed(response.error()));
                  });
}

}  // namespace stead::controllers
