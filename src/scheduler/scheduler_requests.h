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
// Condition PodScheduled=False; nullopt if the pod says so already.
std::optional<client::Request> unschedulable_request(const Object& pod, const std::string& why, WallTime now);

}  // namespace stead::scheduler
