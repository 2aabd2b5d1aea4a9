#pragma once

// The volumes that the built-in provisioner `stead.dev/local` makes and removes. Pure.

#include <optional>
#include <string>

#include "client/plan.h"
#include "object/object.h"

namespace stead::controllers::volumes {

using object::Object;
using object::ObjectPtr;
using object::Value;

// Whether the claim is ours to serve now: unbound, handed to our provisioner by the binder, its node known if its
// class waits for one.
bool wants_local_volume(const Object& claim, const Object* storage_class);

// Why we cannot serve it; empty if we can.
std::string local_volume_obstacle(const Object& claim);

std::string local_volume_name(const Object& claim);  // "pvc-<uid>"

// Where the volume of a claim goes whose pod does not decide it (binding mode Immediate): claims of one pod of a set go
// to one node, the pods of a set one node after the other, so that a set whose pods must be apart can run. Nodes that
// are not ready or cordoned are taken only if there are no others. Null without nodes.
ObjectPtr choose_volume_node(std::string_view claim, const std::vector<ObjectPtr>& nodes);

// A volume of `path` on `node`, reserved for the claim.
Value make_local_volume(const Object& claim, const Object& storage_class, const Object& node, const std::string& path);

// The label kubernetes.io/hostname of a node, else its name; and the one that a volume of ours is on.
std::string_view host_name_of(const Object& node);
std::string_view volume_host(const Object& volume);

// How a volume of ours ends. Its finalizer keeps the object until the directory is gone.
struct LocalRemoval {
  bool directory = false;  // remove it before the steps
  client::Plan plan;       // empty: nothing to do
};
LocalRemoval decide_local_removal(const Object& volume);

// The class that manifests without one get.
Value standard_storage_class();

}  // namespace stead::controllers::volumes
