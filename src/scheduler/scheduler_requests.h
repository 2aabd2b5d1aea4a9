#pragma once

// The writes that the scheduler makes. Pure.

#include <optional>
#include <string>

#include "client/plan.h"
#include "scheduler/scheduling_policy.h"

namespace stead::scheduler {

client::Request binding_request(const Object& pod, const std::string& node);
// Tells provisioners where the claim's first consumer will run, or reserves a volume for it.
client::Request settle_claim_request(const ClaimChoice& choice, const std::string& node);
// Condition PodScheduled=False, and where room is being made for the pod (empty: nowhere); nullopt if the pod says so
// already.
std::optional<client::Request> unschedulable_request(const Object& pod, const std::string& why,
                                                     const std::string& nominated_node, WallTime now);
// Takes back that room is made for the pod: one of higher priority needs it.
client::Request give_up_room_request(const Object& pod);
// Makes the victim leave for the preemptor, in its own time: why (condition DisruptionTarget), then the deletion.
client::Plan preempt_plan(const ObjectPtr& victim, const Object& preemptor, const std::string& node, WallTime now);

}  // namespace stead::scheduler
