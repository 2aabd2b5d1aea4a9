#include "kinds/core/volume_validation.h"

#include <algorithm>
#include <set>

#include "kinds/core/env_validation.h"
#include "kinds/core/shared_volume_sources.h"
#include "kinds/meta/metadata.h"
#include "kinds/storage/storage_rules.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kVolumePaths[] = {"metadata.annotations", "metadata.labels", "metadata.name",
                                             "metadata.namespace", "metadata.uid"};

// In the order in which Kubernetes looks at them: the first that is set counts, others are forbidden.
constexpr std::string_view kSources[] = {"emptyDir",
                                         "hostPath",
                                         "gitRepo",
                                         "gcePersistentDisk",
                                         "awsElasticBlockStore",
                                         "secret",
                                         "nfs",
                                         "iscsi",
                                         "glusterfs",
                                         "flocker",
                                         "persistentVolumeClaim",
                                         "rbd",
                                         "cinder",
                                         "cephfs",
                                         "quobyte",
                                         "downwardAPI",
                                         "fc",
                                         "flexVolume",
                                         "configMap",
                                         "azureFile",
                                         "vsphereVolume",
                                         "photonPersistentDisk",
                                         "portworxVolume",
                                         "azureDisk",
                                         "storageos",
                                         "projected",
                                         "scaleIO",
                                         "csi",
                                         "ephemeral",
                                         "image"};

// Below the volume's directory, without leaving it or its own bookkeeping names ("..data").
void check_file_path(const Path& path, const Value& value, FieldErrors& errors) {
  check_descending_path(path, value, errors);
  std::string_view text = value.as_string();
  if (text.starts_with("..") && !text.starts_with("../")) errors.invalid(path, value, "must not start with '..'");
}

void validate_items(const Path& path, const Value& items, FieldErrors& errors) {
  for (size_t i = 0; i < items.size(); ++i) {
    const Value& item = items.items()[i];
    Path at = path.index(i);
    check_present(at.child("key"), item.at("key"), errors);
    if (check_present(at.child("path"), item.at("path"), errors)) {
      check_file_path(at.child("path"), item.at("path"), errors);
    }
    check_mode(at.child("mode"), item.find("mode"), errors);
  }
}

// Upstream names the source here, not the item; clients see that path.
void validate_downward_items(const Path& at, const Value& items, FieldErrors& errors) {
  for (const Value& item : items.items()) {
    if (check_present(at.child("path"), item.at("path"), errors)) {
      check_file_path(at.child("path"), item.at("path"), errors);
    }
    const Value* field = item.find("fieldRef");
    const Value* resource = item.find("resourceFieldRef");
    if (field != nullptr) {
      validate_field_ref(at.child("fieldRef"), *field, kVolumePaths, errors);
      if (resource != nullptr) {
        errors.invalid(at, Value("resource"), "fieldRef and resourceFieldRef can not be specified simultaneously");
      }
    } else if (resource != nullptr) {
      validate_resource_field_ref(at.child("resourceFieldRef"), *resource, ResourceFieldPlace::kVolume, errors);
    } else {
      errors.required(at, "one of fieldRef and resourceFieldRef is required");
    }
    check_mode(at.child("mode"), item.find("mode"), errors);
  }
}

// The file's path is the projected volume's, as upstream names it.
void validate_token(const Path& volume_path, const Path& path, const Value& token, FieldErrors& errors) {
  int64_t seconds = token.at("expirationSeconds").as_int();
  if (seconds < 600) {
    errors.invalid(path.child("expirationSeconds"), Value(seconds), "may not specify a duration less than 10 minutes");
  } else if (seconds > (int64_t{1} << 32)) {
    errors.invalid(path.child("expirationSeconds"), Value(seconds),
                   "may not specify a duration larger than 2^32 seconds");
  }
  if (check_present(volume_path.child("path"), token.at("path"), errors)) {
    check_file_path(volume_path.child("path"), token.at("path"), errors);
  }
}

void check_unique_paths(const Path& path, const Value& source, std::set<std::string_view>& paths, FieldErrors& errors) {
  auto note = [&](const Value& file, const Value& shown) {
    if (!file.as_string().empty() && !paths.insert(file.as_string()).second) {
      errors.invalid(path, Value(shown.as_string()), "conflicting duplicate paths");
    }
  };
  for (std::string_view kind : {"secret", "configMap"}) {
    for (const Value& item : source.at({kind, "items"}).items()) note(item.at("path"), source.at({kind, "name"}));
  }
  for (const Value& item : source.at({"downwardAPI", "items"}).items()) note(item.at("path"), item.at("path"));
  const Value& bundle = source.at({"clusterTrustBundle", "path"});
  note(bundle, bundle);
}

void validate_projected(const Path& path, const Value& projected, FieldErrors& errors) {
  check_mode(path.child("defaultMode"), projected.find("defaultMode"), errors);
  std::set<std::string_view> paths;
  Path sources_path = path.child("sources");
  const Value& sources = projected.at("sources");
  for (size_t i = 0; i < sources.size(); ++i) {
    const Value& source = sources.items()[i];
    Path at = sources_path.index(i);
    int found = 0;
    for (std::string_view kind : {"secret", "configMap"}) {
      const Value* named = source.find(kind);
      if (named == nullptr) continue;
      ++found;
      Path named_path = at.child(kind);
      check_present(named_path.child("name"), named->at("name"), errors);
      validate_items(named_path.child("items"), named->at("items"), errors);
    }
    if (const Value* downward = source.find("downwardAPI")) {
      ++found;
      Path downward_path = at.child("downwardAPI");
      validate_downward_items(downward_path, downward->at("items"), errors);
    }
    if (const Value* token = source.find("serviceAccountToken")) {
      ++found;
      validate_token(path, at.child("serviceAccountToken"), *token, errors);
    }
    for (std::string_view kind : {"clusterTrustBundle", "podCertificate"}) found += source.find(kind) != nullptr;
    if (found > 1) errors.forbidden(at, "may not specify more than 1 volume type per source");
    check_unique_paths(path, source, paths, errors);
  }
}

void validate_ephemeral(const Path& path, const Value& ephemeral, FieldErrors& errors) {
  Path template_path = path.child("volumeClaimTemplate");
  const Value* claim = ephemeral.find("volumeClaimTemplate");
  if (claim == nullptr) {
    errors.required(template_path);
    return;
  }
  Path metadata_path = template_path.child("metadata");
  for (const object::Member& member : claim->at("metadata").members()) {
    if (member.name() == "labels" || member.name() == "annotations" || member.value.is_null()) continue;
    errors.forbidden(metadata_path.child(member.name()), "cannot be set");
  }
  check_labels(metadata_path.child("labels"), claim->at({"metadata", "labels"}), errors);
  check_annotations(metadata_path.child("annotations"), claim->at({"metadata", "annotations"}), errors);
  validate_claim_spec(template_path.child("spec"), claim->at("spec"), errors);
}

void validate_image(const Path& path, const Value& source, PodSpecOwner owner, FieldErrors& errors) {
  // A template may leave it to what admits its pods.
  if (owner == PodSpecOwner::kPod) check_present(path.child("reference"), source.at("reference"), errors);
  check_one_of(path.child("pullPolicy"), source.at("pullPolicy"), {"Always", "IfNotPresent", "Never"}, errors);
}

void validate_source(const Path& path, std::string_view kind, const Value& source, const Value& volume,
                     PodSpecOwner owner, FieldErrors& errors) {
  if (kind == "emptyDir") {
    if (quantity_of(source.at("sizeLimit")).is_negative()) {
      errors.forbidden(path.child("sizeLimit"), "SizeLimit field must be a valid resource quantity");
    }
  } else if (kind == "secret" || kind == "configMap") {
    std::string_view name = kind == "secret" ? "secretName" : "name";
    check_present(path.child(name), source.at(name), errors);
    check_mode(path.child("defaultMode"), source.find("defaultMode"), errors);
    validate_items(path.child("items"), source.at("items"), errors);
  } else if (kind == "persistentVolumeClaim") {
    check_present(path.child("claimName"), source.at("claimName"), errors);
  } else if (kind == "downwardAPI") {
    check_mode(path.child("defaultMode"), source.find("defaultMode"), errors);
    validate_downward_items(path, source.at("items"), errors);
  } else if (kind == "projected") {
    validate_projected(path, source, errors);
  } else if (kind == "ephemeral") {
    validate_ephemeral(path, source, errors);
  } else if (kind == "gitRepo") {
    check_present(path.child("repository"), source.at("repository"), errors);
    check_descending_path(path.child("directory"), source.at("directory"), errors);
  } else if (kind == "image") {
    validate_image(path, source, owner, errors);
  } else {
    validate_shared_source(path, kind, source, {.name = volume.at("name").as_string()}, errors);
  }
}

void validate_volume(const Path& path, const Value& volume, PodSpecOwner owner, FieldErrors& errors) {
  int found = 0;
  for (std::string_view kind : kSources) {
    const Value* source = volume.find(kind);
    if (source == nullptr) continue;
    Path source_path = path.child(kind);
    if (found++ > 0) {
      errors.forbidden(source_path, "may not specify more than 1 volume type");
    } else {
      // Upstream's path for this one lacks its first word.
      std::string_view name = kind == "gcePersistentDisk" ? "persistentDisk" : kind;
      validate_source(path.child(name), kind, *source, volume, owner, errors);
    }
  }
  if (found == 0) errors.required(path, "must specify a volume type");
}

}  // namespace

void check_mode(const Path& path, const Value* mode, FieldErrors& errors) {
  if (mode == nullptr || (mode->as_int() >= 0 && mode->as_int() <= 0777)) return;
  errors.invalid(path, *mode, "must be a number between 0 and 0777 (octal), both inclusive");
}

// Claims for ephemeral volumes are named after the pod.
void check_claim_name(const Path& path, const Value& volume, const std::string& pod_name, FieldErrors& errors) {
  const Value& name = volume.at("name");
  if (volume.find("ephemeral") == nullptr || pod_name.empty() || is_absent_or_empty(name)) return;
  std::string claim = pod_name + "-" + std::string(name.as_string());
  std::string problem = object::check_dns1123_subdomain(claim);
  if (!problem.empty()) errors.invalid(path, name, "PVC name \"" + claim + "\": " + problem);
}

VolumesByName validate_volumes(const Path& path, const Value& volumes, const Value& metadata, PodSpecOwner owner,
                               FieldErrors& errors) {
  VolumesByName good;
  std::set<std::string> made_claims;
  std::string pod_name(metadata.at("name").as_string());
  for (const Value& volume : volumes.items()) {
    if (volume.find("ephemeral") == nullptr || pod_name.empty()) continue;
    made_claims.insert(pod_name + "-" + std::string(volume.at("name").as_string()));
  }
  for (size_t i = 0; i < volumes.size(); ++i) {
    const Value& volume = volumes.items()[i];
    Path at = path.index(i);
    Path name_path = at.child("name");
    const Value& name = volume.at("name");
    size_t before = errors.size();
    validate_volume(at, volume, owner, errors);
    check_claim_name(name_path, volume, pod_name, errors);
    if (check_present(name_path, name, errors)) {
      check(name_path, name, object::check_dns1123_label(name.as_string()), errors);
    }
    if (good.contains(name.as_string())) errors.duplicate(name_path, name);
    if (errors.size() == before) good.emplace(name.as_string(), &volume);
    const Value& claim = volume.at({"persistentVolumeClaim", "claimName"});
    if (made_claims.contains(std::string(claim.as_string()))) {
      Path claim_path = at.child("persistentVolumeClaim");
      errors.invalid(claim_path.child("claimName"), claim,
                     "must not reference a PVC that gets created for an ephemeral volume");
    }
  }
  return good;
}

}  // namespace stead::kinds
