#include <algorithm>
#include <string>

#include "kinds/meta/cells.h"
#include "kinds/storage/claim_defaults.h"
#include "kinds/storage/storage_rules.h"
#include "kinds/storage/volume_text.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kClassAnnotation = "volume.beta.kubernetes.io/storage-class";

void validate_data_source(const Path& path, const Value& source, FieldErrors& errors) {
  check_present(path.child("name"), source.at("name"), errors);
  check_present(path.child("kind"), source.at("kind"), errors);
  std::string_view group = source.at("apiGroup").as_string();
  if (group.empty() && source.at("kind").as_string() != "PersistentVolumeClaim") {
    errors.invalid(path, source.at("kind"), "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
  }
  if (!group.empty()) {
    check(path.child("apiGroup"), source.at("apiGroup"), object::check_dns1123_subdomain(group), errors);
  }
}

void validate_data_sources(const Path& path, const Value& spec, FieldErrors& errors) {
  const Value* source = spec.find("dataSource");
  const Value* reference = spec.find("dataSourceRef");
  if (source != nullptr) validate_data_source(path.child("dataSource"), *source, errors);
  if (reference != nullptr) validate_data_source(path.child("dataSourceRef"), *reference, errors);
  if (source == nullptr || reference == nullptr) return;
  if (!is_absent_or_empty(reference->at("namespace"))) {
    errors.invalid(path, Value("spec.dataSource"), "may not be specified when dataSourceRef.namespace is specified");
  } else if (!(source->at("apiGroup") == reference->at("apiGroup") && source->at("kind") == reference->at("kind") &&
               source->at("name") == reference->at("name"))) {
    errors.invalid(path, Value("spec.dataSource"), "must match dataSourceRef");
  }
}

void check_class_name(const Path& path, const Value& name, FieldErrors& errors) {
  if (is_absent_or_empty(name)) return;
  check(path, name, object::check_dns1123_subdomain(name.as_string()), errors);
}

void validate(const Value& claim, FieldErrors& errors) { validate_claim_spec(Path("spec"), claim.at("spec"), errors); }

// The class may be filled in later where none was chosen (KEP-3333), from the old annotation or freely.
bool class_may_change(const Value& claim, const Value& old) {
  if (old.find({"spec", "storageClassName"}) != nullptr) return false;
  const Value* chosen = claim.find({"spec", "storageClassName"});
  const Value* annotated = old.find({"metadata", "annotations", kClassAnnotation});
  return chosen != nullptr && (annotated == nullptr || *annotated == *chosen);
}

void keep(Value& spec, const Value& old, std::initializer_list<std::string_view> path) {
  const Value* before = old.find(path);
  if (before != nullptr) {
    spec.set(path, *before);
  } else {
    spec.erase(path);
  }
}

void check_size_change(const Value& claim, const Value& old, FieldErrors& errors) {
  object::Quantity wanted = quantity_of(claim.at({"spec", "resources", "requests", "storage"}));
  object::Quantity before = quantity_of(old.at({"spec", "resources", "requests", "storage"}));
  object::Quantity has = quantity_of(old.at({"status", "capacity", "storage"}));
  // A failed expansion may be taken back, down to what there is (KEP-1790).
  if (wanted < before && wanted <= has) {
    Path spec("spec");
    Path resources = spec.child("resources");
    Path requests = resources.child("requests");
    errors.forbidden(requests.child("storage"), "field can not be less than status.capacity");
  }
}

void check_attributes_class(const Value& claim, const Value& old, FieldErrors& errors) {
  const Value* before = old.find({"spec", "volumeAttributesClassName"});
  const Value* now = claim.find({"spec", "volumeAttributesClassName"});
  if (before == nullptr) return;
  Path spec("spec");
  Path path = spec.child("volumeAttributesClassName");
  if (now == nullptr) {
    errors.forbidden(path, "update from non-nil value to nil is forbidden");
  } else if (now->as_string().empty() && !before->as_string().empty()) {
    errors.forbidden(path, "update from non-nil value to an empty string is forbidden");
  }
}

void validate_update(const Value& claim, const Value& old, FieldErrors& errors) {
  Value spec = claim.at("spec");
  const Value& before = old.at("spec");
  // The binder names the volume, once.
  if (is_absent_or_empty(before.at("volumeName"))) keep(spec, before, {"volumeName"});
  if (class_may_change(claim, old)) keep(spec, before, {"storageClassName"});
  if (claim.at({"status", "phase"}).as_string() == "Bound") {
    keep(spec, before, {"resources", "requests", "storage"});
    keep(spec, before, {"volumeAttributesClassName"});
  }
  if (!(spec == before)) {
    errors.forbidden(Path("spec"),
                     "spec is immutable after creation except resources.requests and volumeAttributesClassName for "
                     "bound claims");
  }
  check_size_change(claim, old, errors);
  check_unchanged(Path("volumeMode"), claim.at({"spec", "volumeMode"}), before.at("volumeMode"), errors);
  check_attributes_class(claim, old, errors);
}

void prepare_create(Value& claim) {
  claim.set("status", Value::object({{"phase", "Pending"}}));
  Value* spec = claim.find("spec");
  if (spec == nullptr) return;
  const Value* source = spec->find("dataSource");
  const Value* reference = spec->find("dataSourceRef");
  if (source != nullptr && reference == nullptr) {
    std::string_view kind = source->at("kind").as_string();
    // Other kinds were dropped silently before dataSourceRef existed, and still are (KEP-1495).
    if (kind == "PersistentVolumeClaim" || kind == "VolumeSnapshot") {
      spec->set("dataSourceRef", Value(*source));
    } else {
      spec->erase("dataSource");
    }
  } else if (reference != nullptr && source == nullptr && is_absent_or_empty(reference->at("namespace"))) {
    spec->set("dataSource", Value(*reference));
  }
}

std::vector<Value> cells(const Value& claim, WallTime now) {
  std::string phase = text_or(claim.at({"status", "phase"}), "");
  if (claim.find({"metadata", "deletionTimestamp"}) != nullptr) phase = "Terminating";
  std::string capacity;
  std::string modes;
  const Value& volume = claim.at({"spec", "volumeName"});
  if (!is_absent_or_empty(volume)) {
    modes = access_modes_text(claim.at({"status", "accessModes"}));
    capacity = text_or(claim.at({"status", "capacity", "storage"}), "0");
  }
  std::string_view mode = claim.at({"spec", "volumeMode"}).as_string();
  return {name_of(claim),
          phase,
          text_or(volume, ""),
          capacity,
          modes,
          class_text(claim),
          text_or(claim.at({"spec", "volumeAttributesClassName"}), "<unset>"),
          age(claim, now),
          std::string(mode.empty() ? "<unset>" : mode)};
}

}  // namespace

void validate_claim_spec(const Path& path, const Value& spec, FieldErrors& errors) {
  const Value& modes = spec.at("accessModes");
  Path modes_path = path.child("accessModes");
  if (modes.empty()) errors.required(modes_path, "at least 1 access mode is required");
  if (const Value* selector = spec.find("selector")) check_label_selector(path.child("selector"), *selector, errors);
  check_access_modes(modes_path, modes, errors);
  const Value* storage = spec.find({"resources", "requests", "storage"});
  Path resources_path = path.child("resources");
  Path storage_path = resources_path.key("storage");
  if (storage == nullptr) {
    errors.required(storage_path);
  } else if (quantity_of(*storage).is_negative() || quantity_of(*storage).is_zero()) {
    errors.invalid(storage_path, *storage, kPositive);
  }
  check_class_name(path.child("storageClassName"), spec.at("storageClassName"), errors);
  check_optional_one_of(path.child("volumeMode"), spec.at("volumeMode"), {"Block", "Filesystem"}, errors);
  validate_data_sources(path, spec, errors);
  check_class_name(path.child("volumeAttributesClassName"), spec.at("volumeAttributesClassName"), errors);
}

KindRules persistent_volume_claim_rules() {
  KindRules made;
  made.rules = {
      .prepare_create = prepare_create, .validate = validate, .validate_update = validate_update, .cells = cells};
  made.columns = {name_column(),
                  {"Status", "string", "", "Whether the claim has its volume."},
                  {"Volume", "string", "", "The volume bound to it."},
                  {"Capacity", "string", "", "What that volume holds."},
                  {"Access Modes", "string", "", "How that volume may be mounted."},
                  {"StorageClass", "string", "", "The class asked for."},
                  {"VolumeAttributesClass", "string", "", "The class of volume attributes asked for."},
                  age_column(),
                  {"VolumeMode", "string", "", "Whether it is used as a file system or a device.", 1}};
  return made;
}

}  // namespace stead::kinds
