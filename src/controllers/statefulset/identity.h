#pragma once

// The sticky identity of a StatefulSet's pods: names, ordinals, labels, claims (KEP-3335 for ordinals.start). Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "object/object.h"

namespace stead::controllers::statefulset {

using object::Object;
using object::Value;

struct ParsedName {
  std::string_view set;
  int64_t ordinal = 0;
};
// "web-12" → {"web", 12}; nullopt for names that no set gives.
std::optional<ParsedName> parse_pod_name(std::string_view pod_name);
// The ordinal in a pod's name, -1 if it has none.
int64_t ordinal_of(const Object& pod);

std::string pod_name(const Object& set, int64_t ordinal);
std::string claim_name(const Value& claim_template, const Object& set, int64_t ordinal);
// Whether the claim bears a name that `set` gives.
bool names_claim(const Object& set, std::string_view claim);

// A pod of `set` made from `pod_template`, labelled with `revision`.
Value make_pod(const Object& set, const Value& pod_template, std::string_view revision, int64_t ordinal);
// The claim of one template for one ordinal; without owners.
Value make_claim(const Object& set, const Value& claim_template, int64_t ordinal);

// Whether the pod's labels say who it is, and its volumes are its claims.
bool identity_matches(const Object& set, const Object& pod);
bool storage_matches(const Object& set, const Object& pod);
// The pod's document with both put right.
Value repair_pod(const Object& set, const Object& pod);

}  // namespace stead::controllers::statefulset
