#pragma once

// metadata.managedFields around a write: what object/apply decides, with the versions and names that a call knows.
// Documents are in hub form unless said otherwise. Pure.

#include "apiserver/call.h"
#include "base/clock.h"
#include "object/apply/managed_fields.h"

namespace stead::apiserver {

// The name under which a call's changes are kept: its fieldManager, else who calls.
std::string manager_name(const Call& call);

// Of a new document without server's defaults of admission. `sent`: the managedFields that came with it.
void own_new_fields(const Call& call, object::Value& document, const object::Value& sent, WallTime now);
// Of a document that is to replace `old`.
void own_changed_fields(const Call& call, object::Value& document, const object::Value& old, WallTime now);

struct AppliedConfiguration {
  object::Value document;  // in the caller's version, with its managedFields
  bool changed = false;
};
// A configuration's complaints: kBadRequest. In the caller's version; it is shaped, and freed of what this path
// resets.
Result<void> prepare_configuration(const Call& call, object::Value& configuration);
// `configuration` applied to `current` (nullptr: there is none yet).
Result<AppliedConfiguration> apply_to(const Call& call, const object::Object* current,
                                      const object::Value& configuration, WallTime now);

}  // namespace stead::apiserver
