#include <algorithm>
#include <string>

#include "kinds/core/affinity_validation.h"
#include "kinds/core/resource_validation.h"
#include "kinds/core/shared_volume_sources.h"
#include "kinds/meta/cells.h"
#include "kinds/storage/storage_rules.h"
#include "kinds/storage/volume_text.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kSources[] = {"hostPath",
                                         "gcePersistentDisk",
                                         "awsElasticBlockStore",
                                         "glusterfs",
                                         "flocker",
                                         "nfs",
                                         "rbd",
                                         "quobyte",
                                         "cephfs",
                                         "iscsi",
                                         "cinder",
                                         "fc",
                                         "flexVolume",
                                         "azureFile",
                                         "vsphereVolume",
                                         "photonPersistentDisk",
                                         "portworxVolume",
                                         "azureDisk",
                                         "scaleIO",
                                         "local",
                                         "storageos",
                                         "csi"};

void validate_capacity(const Path& path, const Value& capacity, FieldErrors& errors) {
  if (capacity.empty()) {
    errors.required(path);
    return;
  }
  if (capacity.find("storage") == nullptr || capacity.size() > 1) {
    std::string_view supported[] = {"storage"};
    errors.not_supported(path, capacity, supported);
  }
  for (const object::Member& amount : capacity.members()) {
    object::Quantity quantity = quantity_of(amount.value);
    if (quantity.is_negative() || quantity.is_zero()) errors.invalid(path.key(amount.name()), amount.value, kPositive);
  }
}

void validate_sources(const Path& path, const Value& spec, FieldErrors& errors) {
  int found = 0;
  for (std::string_view kind : kSources) {
    const Value* source = spec.find(kind);
    if (source == nullptr) continue;
    Path at = path.child(kind);
    if (found++ > 0) {
      errors.forbidden(at, "may not specify more than 1 volume type");
    } else if (kind == "local") {
      if (check_present(at.child("path"), source->at("path"), errors)) {
        check_no_backsteps(at.child("path"), source->at("path"), errors);
      }
    } else {
      validate_shared_source(at, kind, *source, errors);
    }
  }
  if (found == 0) errors.required(path, "must specify a volume type");
  if (const Value* host = spec.find("hostPath")) {
    bool root = host->at("path").as_string() == "/";
    if (root && spec.at("persistentVolumeReclaimPolicy").as_string() == "Recycle") {
      errors.forbidden(path.child("persistentVolumeReclaimPolicy"), "may not be 'recycle' for a hostPath mount of '/'");
    }
  }
}

void validate(const Value& volume, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = volume.at("spec");
  if (spec.at("accessModes").empty()) errors.required(path.child("accessModes"));
  check_access_modes(path.child("accessModes"), spec.at("accessModes"), errors);
  validate_capacity(path.child("capacity"), spec.at("capacity"), errors);
  check_optional_one_of(path.child("persistentVolumeReclaimPolicy"), spec.at("persistentVolumeReclaimPolicy"),
                        {"Delete", "Recycle", "Retain"}, errors);
  if (const Value* affinity = spec.find("nodeAffinity")) {
    Path affinity_path = path.child("nodeAffinity");
    if (const Value* required = affinity->find("required")) {
      validate_node_selector(affinity_path.child("required"), *required, errors);
    } else {
      errors.required(affinity_path.child("required"), "must specify required node constraints");
    }
  } else if (spec.find("local") != nullptr) {
    errors.required(Path("metadata").child("annotations"), "Local volume requires node affinity");
  }
  validate_sources(path, spec, errors);
  const Value& name = spec.at("storageClassName");
  if (!is_absent_or_empty(name)) {
    check(path.child("storageClassName"), name, object::check_dns1123_subdomain(name.as_string()), errors);
  }
  check_optional_one_of(path.child("volumeMode"), spec.at("volumeMode"), {"Block", "Filesystem"}, errors);
}

Value source_of(const Value& spec) {
  Value source;
  for (std::string_view kind : kSources) {
    if (const Value* found = spec.find(kind)) source.set(kind, *found);
  }
  return source;
}

void validate_update(const Value& volume, const Value& old, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = volume.at("spec");
  const Value& before = old.at("spec");
  if (!(source_of(spec) == source_of(before))) {
    errors.forbidden(path.child("persistentvolumesource"), "spec.persistentvolumesource is immutable after creation");
  }
  check_unchanged(path.child("volumeMode"), spec.at("volumeMode"), before.at("volumeMode"), errors);
  // It may be added, not changed.
  if (before.find("nodeAffinity") != nullptr) {
    check_unchanged(path.child("nodeAffinity"), spec.at("nodeAffinity"), before.at("nodeAffinity"), errors);
  }
  const Value* attributes = before.find("volumeAttributesClassName");
  if (attributes != nullptr && spec.find("volumeAttributesClassName") == nullptr) {
    errors.forbidden(path.child("volumeAttributesClassName"), "update from non-nil value to nil is forbidden");
  }
}

void prepare_create(Value& volume) { volume.set("status", Value::object({{"phase", "Pending"}})); }

std::vector<Value> cells(const Value& volume, WallTime now) {
  const Value* claim = volume.find({"spec", "claimRef"});
  std::string claim_text;
  if (claim != nullptr) {
    claim_text = std::string(claim->at("namespace").as_string()) + "/" + std::string(claim->at("name").as_string());
  }
  std::string phase = text_or(volume.at({"status", "phase"}), "");
  if (volume.find({"metadata", "deletionTimestamp"}) != nullptr) phase = "Terminating";
  return {name_of(volume),
          text_or(volume.at({"spec", "capacity", "storage"}), "0"),
          access_modes_text(volume.at({"spec", "accessModes"})),
          text_or(volume.at({"spec", "persistentVolumeReclaimPolicy"}), ""),
          phase,
          claim_text,
          class_text(volume),
          text_or(volume.at({"spec", "volumeAttributesClassName"}), "<unset>"),
          text_or(volume.at({"status", "reason"}), ""),
          age(volume, now),
          text_or(volume.at({"spec", "volumeMode"}), "<unset>")};
}

}  // namespace

void set_volume_defaults(Value& volume) {
  if (Value* spec = volume.find("spec")) {
    if (is_absent_or_empty(spec->at("persistentVolumeReclaimPolicy"))) {
      spec->set("persistentVolumeReclaimPolicy", "Retain");
    }
    if (spec->find("volumeMode") == nullptr) spec->set("volumeMode", "Filesystem");
    if (Value* host = spec->find("hostPath")) {
      if (host->find("type") == nullptr) host->set("type", "");
    }
  }
  if (volume.at({"status", "phase"}).is_null()) volume.set({"status", "phase"}, "Pending");
}

KindRules persistent_volume_rules() {
  KindRules made;
  made.rules = {
      .prepare_create = prepare_create, .validate = validate, .validate_update = validate_update, .cells = cells};
  made.columns = {name_column(),
                  {"Capacity", "string", "", "What the volume holds."},
                  {"Access Modes", "string", "", "How it may be mounted."},
                  {"Reclaim Policy", "string", "", "What becomes of it once its claim is gone."},
                  {"Status", "string", "", "Whether it is bound."},
                  {"Claim", "string", "", "The claim it is bound to."},
                  {"StorageClass", "string", "", "The class it belongs to."},
                  {"VolumeAttributesClass", "string", "", "The class of its attributes."},
                  {"Reason", "string", "", "Why it is in its state."},
                  age_column(),
                  {"VolumeMode", "string", "", "Whether it is used as a file system or a device.", 1}};
  return made;
}

}  // namespace stead::kinds
