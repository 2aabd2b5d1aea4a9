#pragma once

// What is allowed in pods but hardly meant, for Warning: headers (KEP-1693). Pure.

#include <string>
#include <vector>

#include "kinds/meta/checks.h"

namespace stead::kinds {

using Warnings = std::vector<std::string>;

// A pod, or a template at `path`, with `metadata` and `spec`.
void warn_of_pod(const Path& path, const Value& pod, Warnings& warnings);
// The name of an object whose pods are named after it.
void warn_of_pod_name(const Value& metadata, std::string_view what, Warnings& warnings);
// A workload named so, with a template at spec.template; of an existing one only when its spec changes.
void warn_of_workload(const Value& workload, const Value* old, Warnings& warnings);
// The spec of a claim.
void warn_of_claim_spec(const Path& path, const Value& spec, Warnings& warnings);
// A NodeSelectorTerm.
void warn_of_node_term(const Path& path, const Value& term, Warnings& warnings);

}  // namespace stead::kinds
