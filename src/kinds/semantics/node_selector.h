#pragma once

// Node selectors (core/v1 NodeSelector): terms are alternatives, the expressions of one term all must hold. Pure.

#include "object/object.h"

namespace stead::kinds {

using object::Object;
using object::Value;

// One NodeSelectorTerm: matchExpressions over labels, matchFields over metadata.name. An empty term matches nothing.
bool matches_node_selector_term(const Value& term, const Object& node);
// A NodeSelector {nodeSelectorTerms}. Without terms it matches nothing.
bool matches_node_selector(const Value& node_selector, const Object& node);
// A plain map of labels, all of which the node must have. Empty matches everything.
bool has_labels(const Value& wanted, const Object& node);

}  // namespace stead::kinds
