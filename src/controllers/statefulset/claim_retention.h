#pragma once

// spec.persistentVolumeClaimRetentionPolicy (KEP-1847): who owns a pod's claims, and with whom they are therefore
// collected. Claims are never deleted here; an owner reference lets the garbage collector do it. Pure.
//
//   whenDeleted  whenScaled   owner of a replica's claims   of a condemned pod's claims
//   Retain       Retain       none                          none
//   Delete       Retain       the set                       the set
//   Retain       Delete       none                          the pod
//   Delete       Delete       the set                       the pod

#include <optional>

#include "object/object.h"

namespace stead::controllers::statefulset {

using object::Object;
using object::Value;

bool deletes_claims_with_set(const Object& set);
bool deletes_claims_when_scaled(const Object& set);

// The claim's document with the owners that the policy asks for; nullopt if it has them already, or if somebody
// else controls the claim.
std::optional<Value> retained_claim(const Object& set, const Object& pod, bool condemned, const Object& claim);

// Whether the claim is owned by an earlier pod of this name, with which it is about to be collected.
bool is_stale(const Object& claim, std::string_view pod_name);

}  // namespace stead::controllers::statefulset
