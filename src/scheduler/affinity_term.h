#pragma once

// One term of an affinity between pods, read once from a pod's spec. Pure.

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "object/object.h"
#include "object/selector.h"

namespace stead::scheduler {

using object::Object;
using object::Value;

// The labels of a namespace (for namespaceSelector); null for an unknown one.
using NamespaceLabels = std::function<const Value&(std::string_view ns)>;

struct AffinityTerm {
  std::string topology_key;
  object::LabelSelector selector;
  std::set<std::string, std::less<>> namespaces;
  std::optional<object::LabelSelector> namespace_selector;
  int64_t weight = 0;  // preferred terms only; those of anti-affinity are negative

  bool matches(const Object& pod, const NamespaceLabels& labels) const;
};

struct AffinityTerms {
  std::vector<AffinityTerm> required;
  std::vector<AffinityTerm> required_anti;
  std::vector<AffinityTerm> preferred;
  bool empty() const { return required.empty() && required_anti.empty() && preferred.empty(); }
};

AffinityTerms read_affinity_terms(const Object& pod);

// The selector {labelSelector} of `document` with `key in (value of the pod's label)` added for each of matchLabelKeys
// and `notin` for mismatchLabelKeys (KEP-3633, KEP-3243). One that does not parse matches nothing.
object::LabelSelector read_selector_for(const Value& document, const Object& pod);

}  // namespace stead::scheduler
