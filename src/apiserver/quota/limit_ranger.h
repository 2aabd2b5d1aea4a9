#pragma once

// LimitRanger: a namespace's LimitRanges give containers their default requests and limits, and bound what containers,
// pods and claims ask for. Pure.

#include <string>
#include <vector>

#include "object/object.h"

namespace stead::apiserver {

using object::ObjectPtr;
using object::Value;

// Fills what the containers of a new pod leave out.
void set_limit_defaults(const std::vector<ObjectPtr>& ranges, Value& pod);

// What the ranges hold against a pod or a claim: sentences, empty if nothing.
std::vector<std::string> limit_problems_of_pod(const std::vector<ObjectPtr>& ranges, const Value& pod);
std::vector<std::string> limit_problems_of_claim(const std::vector<ObjectPtr>& ranges, const Value& claim);

}  // namespace stead::apiserver
