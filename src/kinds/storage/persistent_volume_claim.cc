#include <algorithm>
#include <string>

#include "kinds/core/pod_warnings.h"
#include "kinds/core/resource_validation.h"
#include "kinds/meta/cells.h"
#include "kinds/storage/claim_defaults.h"
#include "kinds/storage/storage_rules.h"
#include "kinds/storage/volume_text.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kClassAnnotation = "volume.beta.kubernetes.io/storage-class";

void validate_data_source(const Path& path, const Value& source, FieldErrors& errors) {
  const Value& ns = source.at("namespace");
  if (!is_absent_or_empty(ns)) {
    check(path.child("namespace"), ns, object::check_dns1123_label(ns.as_string()), errors);
  }
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

// The old annotation becomes the field that took its place.
bool class_moves_to_field(const Value& claim, const Value& old) {
  const Value* annotated = old.find({"metadata", "annotations", kClassAnnotation});
  const Value* now = claim.find({"metadata", "annotations", kClassAnnotation});
  const Value* chosen = claim.find({"spec", "storageClassName"});
  return annotated != nullptr && old.find({"spec", "storageClassName"}) == nullptr && chosen != nullptr &&
         *chosen == *annotated && (now == nullptr || *now == *annotated);
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
  if (!class_moves_to_field(claim, old)) {
    Path metadata("metadata");
    Path annotations = metadata.child("annotations");
    check_unchanged(annotations.child(kClassAnnotation),
                    Value(claim.at({"metadata", "annotations", kClassAnnotation}).as_string()),
                    Value(old.at({"metadata", "annotations", kClassAnnotation}).as_string()), errors);
  }
  if (claim.at({"status", "phase"}).as_string() == "Bound") {
    if (!spec.at({"resources", "requests"}).is_null()) keep(spec, before, {"resources", "requests", "storage"});
    if (spec.find("volumeAttributesClassName") != nullptr) keep(spec, before, {"volumeAttributesClassName"});
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

void validate_amount(const Path& path, const Value& amount, FieldErrors& errors) {
  int64_t units = quantity_of(amount).value();
  if (units < 0) errors.invalid(path, Value(units), "must be a valid resource quantity");
}

// Storage is the one amount of Kubernetes' own that claims have; drivers may count others under their domain.
bool check_resource(const Path& path, std::string_view name, FieldErrors& errors) {
  if (!check(path, Value(name), object::check_qualified_name(name), errors)) return false;
  if (name == "storage" || !is_native_resource(name)) return true;
  std::string_view supported[] = {"storage"};
  errors.not_supported(path, Value(name), supported);
  return false;
}

void validate_status_update(const Value& claim, const Value&, FieldErrors& errors) {
  Path path("status");
  const Value& status = claim.at("status");
  Path capacity = path.child("capacity");
  for (const object::Member& amount : status.at("capacity").members()) {
    validate_amount(capacity.key(amount.name()), amount.value, errors);
  }
  constexpr std::string_view kResizing[] = {"ControllerResizeInProgress", "ControllerResizeInfeasible",
                                            "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"};
  // Upstream's path of the first is in the singular.
  Path resizing = path.child("allocatedResourceStatus");
  for (const object::Member& state : status.at("allocatedResourceStatuses").members()) {
    check_resource(resizing, state.name(), errors);
    if (!contains(kResizing, state.value.as_string())) {
      errors.not_supported(resizing, Value(state.name()), kResizing);
    }
  }
  Path allocated = path.child("allocatedResources");
  for (const object::Member& amount : status.at("allocatedResources").members()) {
    if (check_resource(allocated, amount.name(), errors)) {
      validate_amount(allocated.key(amount.name()), amount.value, errors);
    }
  }
}

// Each of the two sources says what the other does (KEP-1495).
void align_data_sources(Value& spec) {
  const Value* source = spec.find("dataSource");
  const Value* reference = spec.find("dataSourceRef");
  if (source != nullptr && reference == nullptr) {
    spec.set("dataSourceRef", Value(*source));
  } else if (reference != nullptr && source == nullptr && is_absent_or_empty(reference->at("namespace"))) {
    spec.set("dataSource", Value(*reference));
  }
}

// Other kinds were dropped silently before dataSourceRef existed, and still are (KEP-1495).
void drop_unknown_source(Value& spec) {
  const Value* source = spec.find("dataSource");
  if (source == nullptr || spec.find("dataSourceRef") != nullptr) return;
  std::string_view kind = source->at("kind").as_string();
  if (kind != "PersistentVolumeClaim" && kind != "VolumeSnapshot") spec.erase("dataSource");
}

void warn(const Value& claim, const Value*, Warnings& warnings) {
  if (claim.find({"metadata", "annotations", kClassAnnotation}) != nullptr) {
    warnings.push_back("metadata.annotations[" + std::string(kClassAnnotation) +
                       "]: deprecated since v1.8; use \"storageClassName\" attribute instead");
  }
  warn_of_claim_spec(Path("spec"), claim.at("spec"), warnings);
}

void prepare_create(Value& claim) {
  claim.set("status", Value::object({{"phase", "Pending"}}));
  Value* spec = claim.find("spec");
  if (spec == nullptr) return;
  drop_unknown_source(*spec);
  align_data_sources(*spec);
}

void prepare_update(Value& claim, const Value& old) {
  Value* spec = claim.find("spec");
  if (spec == nullptr) return;
  bool had = old.find({"spec", "dataSource"}) != nullptr || old.find({"spec", "dataSourceRef"}) != nullptr;
  if (!had) drop_unknown_source(*spec);
  align_data_sources(*spec);
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
  made.rules = {.prepare_create = prepare_create,
                .prepare_update = prepare_update,
                .validate = validate,
                .validate_update = validate_update,
                .validate_status_update = validate_status_update,
                .warn = warn,
                .cells = cells};
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
