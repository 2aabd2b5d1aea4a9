#pragma once

// Garbage collection by owner references (the "Garbage Collection" concept page). An object lives while one of its
// owners does; an owner deleted in the foreground waits for the dependents that block it; an owner deleted with
// orphaning lets them go first. Owners are told apart by UID. Pure.

#include <vector>

#include "client/informer.h"
#include "client/plan.h"

namespace stead::controllers::garbage {

using client::ObjectPtr;
using client::ResourceRef;

struct Member {
  ObjectPtr object;
  ResourceRef resource;
};

enum class OwnerState {
  kPresent,            // or of a kind that we do not know: never a reason to delete
  kGone,               // verified
  kWaitsForDependents  // being deleted in the foreground
};

struct Observed {
  Member subject;
  std::vector<OwnerState> owners;  // one per entry of metadata.ownerReferences
  std::vector<Member> dependents;  // that name the subject's UID
  // A pod of a deleted StatefulSet whose turn has not come: a higher ordinal is still there.
  bool must_wait = false;
};

client::Plan decide(const Observed& observed);

// Whether the object is being deleted and waits for us: foreground or orphan finalizer.
bool deletes_in_foreground(const object::Object& object);
bool orphans_dependents(const object::Object& object);

}  // namespace stead::controllers::garbage
