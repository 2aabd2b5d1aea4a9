#include "kinds/core/shared_volume_sources.h"

#include <array>

#include "kinds/core/storage_service_sources.h"

namespace stead::kinds {
namespace {

// Sources with nothing to check but that these members are there.
struct RequiredMembers {
  std::string_view kind;
  std::array<std::string_view, 3> members;
};
constexpr RequiredMembers kRequired[] = {
    {"rbd", {"monitors", "image"}},    {"cephfs", {"monitors"}},
    {"vsphereVolume", {"volumePath"}}, {"photonPersistentDisk", {"pdID"}},
    {"portworxVolume", {"volumeID"}},  {"scaleIO", {"gateway", "system", "volumeName"}},
};

void check_partition(const Path& path, const Value& source, FieldErrors& errors) {
  int64_t partition = source.at("partition").as_int();
  if (partition < 0 || partition > 255) {
    errors.invalid(path.child("partition"), Value(partition), "must be between 1 and 255, inclusive");
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
    check_range(path.child("lun"), *lun, 0, 255, errors);
  } else {
    errors.required(path.child("lun"), "lun is required if targetWWNs is specified");
  }
}

void validate_flocker(const Path& path, const Value& source, FieldErrors& errors) {
  bool name = !is_absent_or_empty(source.at("datasetName"));
  bool id = !is_absent_or_empty(source.at("datasetUUID"));
  if (!name && !id) errors.required(path, "one of datasetName and datasetUUID is required");
  if (name && id) {
    errors.invalid(path, Value("resource"), "datasetName and datasetUUID can not be specified simultaneously");
  }
  const Value& text = source.at("datasetName");
  if (text.as_string().find('/') != std::string_view::npos) {
    errors.invalid(path.child("datasetName"), text, "must not contain '/'");
  }
}

}  // namespace

bool validate_shared_source(const Path& path, std::string_view kind, const Value& source, const VolumeOwner& owner,
                            FieldErrors& errors) {
  if (kind == "hostPath") {
    validate_host_path(path, source, errors);
  } else if (kind == "nfs") {
    validate_nfs(path, source, errors);
  } else if (kind == "fc") {
    validate_fc(path, source, errors);
  } else if (kind == "flocker") {
    validate_flocker(path, source, errors);
  } else if (kind == "gcePersistentDisk" || kind == "awsElasticBlockStore") {
    std::string_view id = kind == "gcePersistentDisk" ? "pdName" : "volumeID";
    check_present(path.child(id), source.at(id), errors);
    check_partition(path, source, errors);
  } else if (validate_storage_service(path, kind, source, owner, errors)) {
    return true;
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
