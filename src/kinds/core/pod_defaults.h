#pragma once

// Defaults of pods that depend on other fields; literal ones are declared in api/*.api. Pure.

#include "object/value.h"

namespace stead::kinds {

using object::Value;

// Of any PodSpec, also one inside a template.
void set_pod_spec_defaults(Value& spec);
// Of a Pod: those of its spec, and requests from limits, host ports from container ports, service links.
void set_pod_defaults(Value& pod);
// "Always" for an image without tag and digest or tagged latest, else "IfNotPresent".
std::string_view default_pull_policy(std::string_view image);

}  // namespace stead::kinds
