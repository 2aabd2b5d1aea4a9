#pragma once

// Rules of volumes: PersistentVolume, PersistentVolumeClaim, StorageClass.

#include "kinds/meta/checks.h"
#include "kinds/rules.h"

namespace stead::kinds {

KindRules persistent_volume_rules();
KindRules persistent_volume_claim_rules();
KindRules storage_class_rules();
KindRules csi_driver_rules();
KindRules csi_node_rules();
KindRules csi_storage_capacity_rules();
KindRules volume_attachment_rules();
KindRules volume_attributes_class_rules();

void set_volume_defaults(Value& volume);
void set_claim_defaults(Value& claim);

// The spec of a claim, wherever it stands.
void validate_claim_spec(const Path& path, const Value& spec, FieldErrors& errors);

}  // namespace stead::kinds
