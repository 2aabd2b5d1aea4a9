#include <algorithm>
#include <string>

#include "kinds/core/affinity_validation.h"
#include "kinds/core/node_labels.h"
#include "kinds/core/resource_validation.h"
#include "kinds/core/shared_volume_sources.h"
#include "kinds/core/volume_warnings.h"
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
  if (capacity.empty()) errors.required(path);
  if (capacity.find("storage") == nullptr || capacity.size() > 1) {
    std::string_view supported[] = {"storage"};
    errors.not_supported(path, capacity.is_null() ? Value::object() : capacity, supported);
  }
  for (const object::Member& amount : capacity.members()) {
    object::Quantity quantity = quantity_of(amount.value);
    if (quantity.value() < 0) {
      errors.invalid(path.key(amount.name()), Value(quantity.value()), "must be a valid resource quantity");
    }
    if (quantity.is_negative() || quantity.is_zero()) errors.invalid(path.key(amount.name()), amount.value, kPositive);
  }
}

// "/", "//", "/./": whatever names the root.
bool is_root(std::string_view path) {
  while (!path.empty()) {
    size_t slash = std::min(path.find('/'), path.size());
    std::string_view part = path.substr(0, slash);
    if (!part.empty() && part != "." && part != "..") return false;
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return true;
}

void validate_sources(const Path& path, const Value& spec, std::string_view name, FieldErrors& errors) {
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
      // Upstream's path for this one lacks its first word.
      Path named = path.child(kind == "gcePersistentDisk" ? "persistentDisk" : kind);
      validate_shared_source(named, kind, *source, {.is_persistent = true, .name = name}, errors);
    }
  }
  if (found == 0) errors.required(path, "must specify a volume type");
  if (const Value* host = spec.find("hostPath")) {
    std::string_view text = host->at("path").as_string();
    bool root = text.starts_with('/') && is_root(text);
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
    errors.required(path.child("nodeAffinity"), "Local volume requires node affinity");
  }
  validate_sources(path, spec, volume.at({"metadata", "name"}).as_string(), errors);
  const Value& name = spec.at("storageClassName");
  if (!is_absent_or_empty(name)) {
    check(path.child("storageClassName"), name, object::check_dns1123_subdomain(name.as_string()), errors);
  }
  check_optional_one_of(path.child("volumeMode"), spec.at("volumeMode"), {"Block", "Filesystem"}, errors);
  const Value* attributes = spec.find("volumeAttributesClassName");
  if (attributes == nullptr) return;
  if (attributes->as_string().empty()) {
    errors.required(path.child("volumeAttributesClassName"), "an empty string is disallowed");
  } else {
    check(path.child("volumeAttributesClassName"), *attributes,
          object::check_dns1123_subdomain(attributes->as_string()), errors);
  }
  if (spec.find("csi") == nullptr) {
    errors.required(path.child("csi"), "has to be specified when using volumeAttributesClassName");
  }
}

Value source_of(const Value& spec) {
  Value source;
  for (std::string_view kind : kSources) {
    if (const Value* found = spec.find(kind)) source.set(kind, *found);
  }
  return source;
}

// Labels of nodes by the names that they have now.
Value with_current_labels(Value affinity) {
  Value* terms = affinity.find("required");
  terms = terms == nullptr ? nullptr : terms->find("nodeSelectorTerms");
  if (terms == nullptr) return affinity;
  for (Value& term : terms->mutable_items()) {
    Value* expressions = term.find("matchExpressions");
    if (expressions == nullptr) continue;
    for (Value& expression : expressions->mutable_items()) {
      std::string_view current = current_node_label(expression.at("key").as_string());
      if (!current.empty()) expression.set("key", current);
    }
  }
  return affinity;
}

void validate_update(const Value& volume, const Value& old, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = volume.at("spec");
  const Value& before = old.at("spec");
  Value source = source_of(spec);
  // Those who expand the volume may be given their secret later.
  if (before.find({"csi", "controllerExpandSecretRef"}) == nullptr && before.find("csi") != nullptr) {
    source.erase({"csi", "controllerExpandSecretRef"});
  }
  if (!(source == source_of(before))) {
    errors.forbidden(path.child("persistentvolumesource"), "spec.persistentvolumesource is immutable after creation");
  }
  // Upstream's paths of these two lack their first part.
  check_unchanged(Path("volumeMode"), spec.at("volumeMode"), before.at("volumeMode"), errors);
  // It may be added, not changed, but for labels that got other names.
  if (before.find("nodeAffinity") != nullptr &&
      !(with_current_labels(spec.at("nodeAffinity")) == with_current_labels(before.at("nodeAffinity")))) {
    errors.invalid(Path("nodeAffinity"), spec.at("nodeAffinity"),
                   "field is immutable, except for updating from beta label to GA");
  }
  const Value* attributes = before.find("volumeAttributesClassName");
  if (attributes != nullptr && spec.find("volumeAttributesClassName") == nullptr) {
    errors.forbidden(path.child("volumeAttributesClassName"), "update from non-nil value to nil is forbidden");
  }
}

void warn(const Value& volume, const Value*, Warnings& warnings) {
  constexpr std::string_view kClass = "volume.beta.kubernetes.io/storage-class";
  const Value& spec = volume.at("spec");
  if (volume.find({"metadata", "annotations", kClass}) != nullptr) {
    warnings.push_back("metadata.annotations[" + std::string(kClass) +
                       "]: deprecated since v1.8; use \"storageClassName\" attribute instead");
  }
  Path path("spec");
  if (spec.at("persistentVolumeReclaimPolicy").as_string() == "Recycle") {
    warnings.emplace_back(
        "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended "
        "approach is to use dynamic provisioning.");
  }
  Path affinity_path = path.child("nodeAffinity");
  Path required_path = affinity_path.child("required");
  Path terms_path = required_path.child("nodeSelectorTerms");
  auto terms = spec.at({"nodeAffinity", "required", "nodeSelectorTerms"}).items();
  for (size_t i = 0; i < terms.size(); ++i) warn_of_node_term(terms_path.index(i), terms[i], warnings);
  for (std::string_view kind : kSources) {
    std::string_view what = gone_volume_source(kind);
    if (!what.empty() && spec.find(kind) != nullptr) {
      warnings.push_back(path.child(kind).str() + ": " + std::string(what));
    }
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
  made.rules = {.prepare_create = prepare_create,
                .validate = validate,
                .validate_update = validate_update,
                .warn = warn,
                .cells = cells};
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
