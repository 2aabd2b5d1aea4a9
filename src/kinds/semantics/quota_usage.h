#pragma once

// What objects count for in ResourceQuotas (Kubernetes v1.35: quota evaluators and scopes). Pure.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "object/object.h"
#include "object/quantity.h"

namespace stead::kinds {

using object::Value;

using QuotaAmounts = std::map<std::string, object::Quantity, std::less<>>;

// "pods", "deployments.apps": a resource as count/<name> has it.
std::string quota_resource_name(std::string_view group, std::string_view resource);

// The group and name of each resource whose objects the quota counts by count/<name>.
std::vector<std::pair<std::string, std::string>> quota_counts(const Value& quota);

// What an object of that resource counts for, by every name that a quota may limit.
QuotaAmounts quota_usage(std::string_view group, std::string_view resource, const Value& document);

// Whether the quota's scopes cover the object. Quotas with scopes are about pods (VolumeAttributesClass: claims) only.
bool quota_covers(const Value& quota, std::string_view group, std::string_view resource, const Value& document);

// Whether any of the amounts of spec.hard is about that resource at all.
bool quota_limits(const Value& quota, std::string_view group, std::string_view resource);

// What a pod lacks under a quota that limits cpu, memory or ephemeral storage: "limits.cpu for: a,b; memory for: c".
// Empty if it says all that it must.
std::string quota_omissions(const Value& quota, const Value& pod);

}  // namespace stead::kinds
