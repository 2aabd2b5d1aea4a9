#pragma once

// Rules for amounts of resources: of containers, pods, nodes. Pure.

#include <set>
#include <string_view>

#include "kinds/meta/checks.h"

namespace stead::kinds {

// resources.limits and resources.requests of a container, or what runs a pod costs as `limits`.
void validate_container_resources(const Path& path, const Value& resources, FieldErrors& errors);
// resources.claims of a container: each names one of the pod's, and no request twice.
void validate_claim_names(const Path& path, const Value& claims, const std::set<std::string_view>& of_pod,
                          FieldErrors& errors);
// resources of a pod as a whole (KEP-2837).
void validate_pod_resources(const Path& path, const Value& spec, FieldErrors& errors);
// What a node has of each resource.
void validate_resource_list(const Path& path, const Value& amounts, FieldErrors& errors);
// What a container may ask for by that name: amounts of Kubernetes' own resources, or of a driver's.
void check_container_resource(const Path& path, std::string_view name, FieldErrors& errors);
// A name that any resource may have.
void check_resource_name(const Path& path, std::string_view name, FieldErrors& errors);
// Whether more may be promised than there is: not of pages set aside, nor of devices.
bool may_overcommit(std::string_view name);
// Not negative, and whole where the resource is counted.
void check_resource_amount(const Path& path, std::string_view name, const Value& amount, FieldErrors& errors);
// Whether the name has no domain or one of Kubernetes' own.
bool is_native_resource(std::string_view name);

}  // namespace stead::kinds
