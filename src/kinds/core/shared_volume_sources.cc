#include "kinds/core/shared_volume_sources.h"

#include <algorithm>
#include <array>

#include "object/names.h"

namespace stead::kinds {
namespace {

// Sources with nothing to check but that these members are there.
struct RequiredMembers {
  std::string_view kind;
  std::array<std::string_view, 3> members;
};
constexpr RequiredMembers kRequired[] = {
    {"glusterfs", {"endpoints", "path"}},
    {"rbd", {"monitors", "image"}},
    {"cinder", {"volumeID"}},
    {"cephfs", {"monitors"}},
    {"quobyte", {"registry", "volume"}},
    {"flexVolume", {"driver"}},
    {"azureFile", {"secretName", "shareName"}},
    {"vsphereVolume", {"volumePath"}},
    {"photonPersistentDisk", {"pdID"}},
    {"portworxVolume", {"volumeID"}},
    {"azureDisk", {"diskName", "diskURI"}},
    {"storageos", {}},
    {"scaleIO", {"gateway", "system", "volumeName"}},
};

void check_partition(const Path& path, const Value& source, FieldErrors& errors) {
  int64_t partition = source.at("partition").as_int();
  if (partition < 0 || partition > 255) {
    errors.invalid(path.child("partition"), Value(partition), "must be between 1 and 255, inclusive");
  }
}

void check_lun(const Path& path, const Value& lun, FieldErrors& errors) {
  if (lun.as_int() < 0 || lun.as_int() > 255) {
    errors.invalid(path.child("lun"), lun, "must be between 0 and 255, inclusive");
  }
}

void validate_host_path(const Path& path, const Value& source, FieldErrors& errors) {
  if (!check_present(path.child("path"), source.at("path"), errors)) return;
  check_no_backsteps(path.child("path"), source.at("path"), errors);
  check_optional_one_of(
      path.child("type"), source.at("type"),
      {"", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"}, errors);
}

void validate_nfs(const Path& path, const Value& source, FieldErrors& errors) {
  check_present(path.child("server"), source.at("server"), errors);
  const Value& directory = source.at("path");
  check_present(path.child("path"), directory, errors);
  if (!directory.as_string().starts_with('/')) {
    errors.invalid(path.child("path"), Value(directory.as_string()), "must be an absolute path");
  }
}

void validate_iscsi(const Path& path, const Value& source, FieldErrors& errors) {
  check_present(path.child("targetPortal"), source.at("targetPortal"), errors);
  const Value& name = source.at("iqn");
  if (check_present(path.child("iqn"), name, errors)) {
    std::string_view text = name.as_string();
    if (!text.starts_with("iqn") && !text.starts_with("eui") && !text.starts_with("naa")) {
      errors.invalid(path.child("iqn"), name, "must be valid format starting with iqn, eui, or naa");
    }
  }
  check_lun(path, source.at("lun"), errors);
}

void validate_fc(const Path& path, const Value& source, FieldErrors& errors) {
  bool by_target = !source.at("targetWWNs").empty();
  bool by_id = !source.at("wwids").empty();
  if (!by_target && !by_id) {
    errors.required(path.child("targetWWNs"), "must specify either targetWWNs or wwids, but not both");
  }
  if (by_target && by_id) {
    errors.invalid(path.child("targetWWNs"), source.at("targetWWNs"),
                   "targetWWNs and wwids can not be specified simultaneously");
  }
  if (!by_target) return;
  if (const Value* lun = source.find("lun")) {
    check_lun(path, *lun, errors);
  } else {
    errors.required(path.child("lun"), "lun is required if targetWWNs is specified");
  }
}

void validate_csi(const Path& path, const Value& source, FieldErrors& errors) {
  const Value& driver = source.at("driver");
  if (check_present(path.child("driver"), driver, errors)) {
    if (driver.as_string().size() > 63) errors.too_long(path.child("driver"), driver, 63);
    std::string name = lower(driver.as_string());
    check(path.child("driver"), Value(name), object::check_dns1123_subdomain(name), errors);
  }
  for (std::string_view member : {"nodePublishSecretRef", "controllerPublishSecretRef", "nodeStageSecretRef"}) {
    const Value* secret = source.find(member);
    if (secret == nullptr) continue;
    Path secret_path = path.child(member);
    check_present(secret_path.child("name"), secret->at("name"), errors);
  }
}

void validate_flocker(const Path& path, const Value& source, FieldErrors& errors) {
  bool name = !is_absent_or_empty(source.at("datasetName"));
  bool id = !is_absent_or_empty(source.at("datasetUUID"));
  if (!name && !id) errors.required(path, "one of datasetName and datasetUUID is required");
  if (name && id)
    errors.invalid(path, Value("resource"), "datasetName and datasetUUID can not be specified simultaneously");
}

}  // namespace

bool validate_shared_source(const Path& path, std::string_view kind, const Value& source, FieldErrors& errors) {
  if (kind == "hostPath") {
    validate_host_path(path, source, errors);
  } else if (kind == "nfs") {
    validate_nfs(path, source, errors);
  } else if (kind == "iscsi") {
    validate_iscsi(path, source, errors);
  } else if (kind == "fc") {
    validate_fc(path, source, errors);
  } else if (kind == "csi") {
    validate_csi(path, source, errors);
  } else if (kind == "flocker") {
    validate_flocker(path, source, errors);
  } else if (kind == "gcePersistentDisk" || kind == "awsElasticBlockStore") {
    std::string_view id = kind == "gcePersistentDisk" ? "pdName" : "volumeID";
    check_present(path.child(id), source.at(id), errors);
    check_partition(path, source, errors);
  } else {
    for (const RequiredMembers& row : kRequired) {
      if (row.kind != kind) continue;
      for (std::string_view member : row.members) {
        if (!member.empty()) check_present(path.child(member), source.at(member), errors);
      }
      return true;
    }
    return false;
  }
  return true;
}

}  // namespace stead::kinds
