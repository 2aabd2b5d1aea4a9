// Rules of the kinds that storage drivers write: CSIDriver, CSINode, CSIStorageCapacity, VolumeAttachment,
// VolumeAttributesClass.

#include <set>

#include "kinds/core/storage_service_sources.h"
#include "kinds/meta/cells.h"
#include "kinds/storage/storage_rules.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr size_t kNodeIdBytesMax = 256;

std::string bool_text(const Value& value, bool otherwise) { return value.as_bool(otherwise) ? "true" : "false"; }

void validate_driver(const Value& driver, FieldErrors& errors) {
  Path metadata("metadata");
  Path path("spec");
  const Value& spec = driver.at("spec");
  check_driver_name(metadata.child("name"), name_of(driver), errors);
  for (std::string_view name : {"attachRequired", "podInfoOnMount", "storageCapacity"}) {
    if (spec.find(name) == nullptr) errors.required(path.child(name));
  }
  check_optional_one_of(path.child("fsGroupPolicy"), spec.at("fsGroupPolicy"),
                        {"ReadWriteOnceWithFSType", "File", "None"}, errors);
  Path modes_path = path.child("volumeLifecycleModes");
  auto modes = spec.at("volumeLifecycleModes").items();
  for (size_t i = 0; i < modes.size(); ++i) {
    check_optional_one_of(modes_path.index(i), modes[i], {"Ephemeral", "Persistent"}, errors);
  }
  std::set<std::string_view> audiences;
  Path tokens_path = path.child("tokenRequests");
  auto tokens = spec.at("tokenRequests").items();
  for (size_t i = 0; i < tokens.size(); ++i) {
    Path at = tokens_path.index(i);
    std::string_view audience = tokens[i].at("audience").as_string();
    if (!audiences.insert(audience).second) errors.duplicate(at.child("audience"), Value(audience));
    const Value* seconds = tokens[i].find("expirationSeconds");
    if (seconds != nullptr && seconds->as_int() < 600) {
      errors.invalid(at.child("expirationSeconds"), *seconds, "may not specify a duration less than 10 minutes");
    } else if (seconds != nullptr && seconds->as_int() > (int64_t{1} << 32)) {
      errors.invalid(at.child("expirationSeconds"), *seconds, "may not specify a duration larger than 2^32 seconds");
    }
  }
}

void validate_driver_update(const Value& driver, const Value& old, FieldErrors& errors) {
  Path path("spec");
  for (std::string_view name : {"attachRequired", "volumeLifecycleModes"}) {
    check_unchanged(path.child(name), driver.at({"spec", name}), old.at({"spec", name}), errors);
  }
}

std::vector<Value> driver_cells(const Value& driver, WallTime now) {
  const Value& spec = driver.at("spec");
  std::string audiences = join(spec.at("tokenRequests"), "audience");
  std::string modes = join(spec.at("volumeLifecycleModes"));
  return {name_of(driver),
          bool_text(spec.at("attachRequired"), true),
          bool_text(spec.at("podInfoOnMount"), false),
          bool_text(spec.at("storageCapacity"), false),
          spec.at("tokenRequests").empty() ? std::string("<unset>") : audiences,
          bool_text(spec.at("requiresRepublish"), false),
          modes.empty() ? std::string(kNone) : modes,
          age(driver, now)};
}

void validate_node(const Value& node, FieldErrors& errors) {
  Path spec("spec");
  Path path = spec.child("drivers");
  std::set<std::string_view> names;
  auto drivers = node.at({"spec", "drivers"}).items();
  for (size_t i = 0; i < drivers.size(); ++i) {
    Path at = path.index(i);
    check_driver_name(at.child("name"), drivers[i].at("name"), errors);
    if (!names.insert(drivers[i].at("name").as_string()).second) {
      errors.duplicate(at.child("name"), drivers[i].at("name"));
    }
    const Value& id = drivers[i].at("nodeID");
    if (check_present(at.child("nodeID"), id, errors) && id.as_string().size() > kNodeIdBytesMax) {
      errors.invalid(at.child("nodeID"), id, "must be 256 characters or less");
    }
    if (const Value* count = drivers[i].find({"allocatable", "count"})) {
      Path allocatable = at.child("allocatable");
      check_not_negative(allocatable.child("count"), *count, errors);
    }
    Path keys_path = at.child("topologyKeys");
    auto keys = drivers[i].at("topologyKeys").items();
    std::set<std::string_view> seen;
    for (size_t j = 0; j < keys.size(); ++j) {
      check(keys_path.index(j), keys[j], object::check_qualified_name(keys[j].as_string()), errors);
      if (!seen.insert(keys[j].as_string()).second) errors.duplicate(keys_path.index(j), keys[j]);
    }
  }
}

// What a driver has said of itself on a node stays.
void validate_node_update(const Value& node, const Value& old, FieldErrors& errors) {
  Path spec("spec");
  Path path = spec.child("drivers");
  auto drivers = node.at({"spec", "drivers"}).items();
  for (size_t i = 0; i < drivers.size(); ++i) {
    for (const Value& before : old.at({"spec", "drivers"}).items()) {
      if (!(before.at("name") == drivers[i].at("name")) || before == drivers[i]) continue;
      Value same_limit = drivers[i];
      same_limit.erase("allocatable");
      Value old_without = before;
      old_without.erase("allocatable");
      if (!(same_limit == old_without)) errors.invalid(path.index(i), drivers[i], kImmutable);
    }
  }
}

std::vector<Value> node_cells(const Value& node, WallTime now) {
  return {name_of(node), static_cast<int64_t>(node.at({"spec", "drivers"}).size()), age(node, now)};
}

void validate_capacity(const Value& capacity, FieldErrors& errors) {
  if (const Value* topology = capacity.find("nodeTopology")) {
    check_label_selector(Path("nodeTopology"), *topology, errors);
  }
  const Value& storage_class = capacity.at("storageClassName");
  check(Path("storageClassName"), Value(storage_class.as_string()),
        object::check_dns1123_subdomain(storage_class.as_string()), errors);
  for (std::string_view name : {"capacity", "maximumVolumeSize"}) {
    const Value* amount = capacity.find(name);
    if (amount != nullptr && quantity_of(*amount).is_negative()) errors.invalid(Path(name), *amount, kNotNegative);
  }
}

void validate_capacity_update(const Value& capacity, const Value& old, FieldErrors& errors) {
  for (std::string_view name : {"nodeTopology", "storageClassName"}) {
    check_unchanged(Path(name), capacity.at(name), old.at(name), errors);
  }
}

std::vector<Value> capacity_cells(const Value& capacity, WallTime now) {
  (void)now;
  return {name_of(capacity), capacity.at("storageClassName"), text_or(capacity.at("capacity"), "<unset>")};
}

void validate_attachment(const Value& attachment, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = attachment.at("spec");
  check_driver_name(path.child("attacher"), spec.at("attacher"), errors);
  check_present(path.child("nodeName"), spec.at("nodeName"), errors);
  Path source_path = path.child("source");
  bool by_name = spec.find({"source", "persistentVolumeName"}) != nullptr;
  bool by_spec = spec.find({"source", "inlineVolumeSpec"}) != nullptr;
  if (!by_name && !by_spec) {
    errors.required(source_path, "must specify exactly one of inlineVolumeSpec and persistentVolumeName");
  } else if (by_name && by_spec) {
    errors.forbidden(source_path, "must specify exactly one of inlineVolumeSpec and persistentVolumeName");
  }
}

void validate_attachment_update(const Value& attachment, const Value& old, FieldErrors& errors) {
  if (!(attachment.at("spec") == old.at("spec"))) errors.invalid(Path("spec"), attachment.at("spec"), kImmutable);
}

std::vector<Value> attachment_cells(const Value& attachment, WallTime now) {
  const Value& spec = attachment.at("spec");
  return {name_of(attachment),
          spec.at("attacher"),
          spec.at({"source", "persistentVolumeName"}).as_string(),
          spec.at("nodeName"),
          attachment.at({"status", "attached"}).as_bool(),
          age(attachment, now)};
}

void validate_attributes(const Value& attributes, FieldErrors& errors) {
  check_driver_name(Path("driverName"), attributes.at("driverName"), errors);
  if (attributes.at("parameters").empty()) {
    errors.required(Path("parameters"), "must contain at least one key/value pair");
  }
}

void validate_attributes_update(const Value& attributes, const Value& old, FieldErrors& errors) {
  for (std::string_view name : {"driverName", "parameters"}) {
    if (!(attributes.at(name) == old.at(name))) {
      errors.forbidden(Path(name), "updates to " + std::string(name) + " are forbidden.");
    }
  }
}

std::vector<Value> attributes_cells(const Value& attributes, WallTime now) {
  return {name_of(attributes), attributes.at("driverName"), age(attributes, now)};
}

}  // namespace

KindRules csi_driver_rules() {
  KindRules made;
  made.rules = {.validate = validate_driver, .validate_update = validate_driver_update, .cells = driver_cells};
  made.columns = {name_column(),
                  {"AttachRequired", "boolean", "", "Whether volumes must be attached before use."},
                  {"PodInfoOnMount", "boolean", "", "Whether the driver is told about the pod."},
                  {"StorageCapacity", "boolean", "", "Whether the driver reports its capacity."},
                  {"TokenRequests", "string", "", "Audiences of tokens that the driver wants."},
                  {"RequiresRepublish", "boolean", "", "Whether mounting is repeated."},
                  {"Modes", "string", "", "Whether volumes are persistent, ephemeral, or either."},
                  age_column()};
  return made;
}

KindRules csi_node_rules() {
  KindRules made;
  made.rules = {.validate = validate_node, .validate_update = validate_node_update, .cells = node_cells};
  made.columns = {name_column(), {"Drivers", "integer", "", "How many drivers the node has."}, age_column()};
  return made;
}

KindRules csi_storage_capacity_rules() {
  KindRules made;
  made.rules = {.validate = validate_capacity, .validate_update = validate_capacity_update, .cells = capacity_cells};
  made.columns = {name_column(),
                  {"StorageClassName", "string", "", "The storage class."},
                  {"Capacity", "string", "", "How much there is."}};
  return made;
}

KindRules volume_attachment_rules() {
  KindRules made;
  made.rules = {
      .validate = validate_attachment, .validate_update = validate_attachment_update, .cells = attachment_cells};
  made.columns = {name_column(),
                  {"Attacher", "string", "", "The driver that attaches."},
                  {"PV", "string", "", "The volume."},
                  {"Node", "string", "", "The node."},
                  {"Attached", "boolean", "", "Whether it is attached."},
                  age_column()};
  return made;
}

KindRules volume_attributes_class_rules() {
  KindRules made;
  made.rules = {
      .validate = validate_attributes, .validate_update = validate_attributes_update, .cells = attributes_cells};
  made.columns = {name_column(), {"DriverName", "string", "", "The driver."}, age_column()};
  return made;
}

}  // namespace stead::kinds
