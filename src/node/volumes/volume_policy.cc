#include "node/volumes/volume_policy.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/informer.h"
#include "node/containers/environment.h"
#include "object/base64.h"
#include "object/quantity.h"

namespace stead::node {
namespace {

using object::ObjectPtr;
using object::Value;

// In-tree volume types and the CSI driver that took each over (docs: storage/volumes).
constexpr std::pair<std::string_view, std::string_view> kCsiDrivers[] = {
    {"awsElasticBlockStore", "ebs.csi.aws.com"}, {"azureDisk", "disk.csi.azure.com"},
    {"azureFile", "file.csi.azure.com"},         {"cephfs", "cephfs.csi.ceph.com"},
    {"cinder", "cinder.csi.openstack.org"},      {"gcePersistentDisk", "pd.csi.storage.gke.io"},
    {"glusterfs", "org.gluster.glusterfs"},      {"iscsi", "iscsi.csi.k8s.io"},
    {"portworxVolume", "pxd.portworx.com"},      {"rbd", "rbd.csi.ceph.com"},
    {"vsphereVolume", "csi.vsphere.vmware.com"},
};

// What else stands beside the source in a pod's volume and in a PersistentVolume's spec.
constexpr std::string_view kNotSources[] = {"name",
                                            "accessModes",
                                            "capacity",
                                            "claimRef",
                                            "mountOptions",
                                            "nodeAffinity",
                                            "persistentVolumeReclaimPolicy",
                                            "storageClassName",
                                            "volumeAttributesClassName",
                                            "volumeMode"};

Error bad(std::string message) { return make_error(Reason::kInvalid, std::move(message)); }

Error unsupported(const Value& source) {
  if (const Value* csi = source.find("csi")) {
    std::string_view driver = csi->at("driver").as_string();
    return bad(
        fmt::format("driver name {} not found in the list of registered CSI drivers: install the CSI driver {} "
                    "on this node",
                    driver, driver));
  }
  for (const auto& [type, driver] : kCsiDrivers) {
    if (source.find(type) != nullptr) {
      return bad(fmt::format("volume type {} is served by the CSI driver {}: install it and use its storage class",
                             type, driver));
    }
  }
  std::string type = "unknown";
  for (const auto& member : source.members()) {
    auto same = [&](std::string_view name) { return name == member.name(); };
    if (std::none_of(std::begin(kNotSources), std::end(kNotSources), same)) type = member.name();
  }
  return bad(fmt::format("no volume plugin matched: volume type {} needs a CSI driver", type));
}

bool safe_relative(std::string_view path) {
  if (path.empty() || path.front() == '/') return false;
  size_t start = 0;
  while (start <= path.size()) {
    size_t end = std::min(path.find('/', start), path.size());
    if (path.substr(start, end - start) == "..") return false;
    start = end + 1;
  }
  return !path.starts_with("..");
}

class Planner {
 public:
  Planner(const PodShape& shape, const DownwardFacts& facts, const ObjectLookup& lookup, const Tokens& tokens)
      : shape_(shape), facts_(facts), lookup_(lookup), tokens_(tokens) {
    if (const Value* group = shape.spec().find({"securityContext", "fsGroup"})) fs_group_ = group->as_int();
    on_mismatch_only_ = shape.spec().at({"securityContext", "fsGroupChangePolicy"}).as_string() == "OnRootMismatch";
  }

  Result<VolumePlan> plan(const Value& volume) {
    VolumePlan result;
    result.name = volume.at("name").as_string();
    result.fs_group = fs_group_;
    result.group_on_mismatch_only = on_mismatch_only_;
    if (const Value* source = volume.find("emptyDir")) return empty_dir(std::move(result), *source);
    if (const Value* source = volume.find("hostPath")) return host_path(std::move(result), *source);
    if (const Value* source = volume.find("nfs")) return nfs(std::move(result), *source, Value());
    if (const Value* source = volume.find("persistentVolumeClaim")) {
      return claim(std::move(result), source->at("claimName").as_string(), source->at("readOnly").as_bool());
    }
    if (volume.find("ephemeral") != nullptr) {
      std::string name = fmt::format("{}-{}", shape_.name, result.name);
      ObjectPtr own = lookup_("persistentvolumeclaims", name);
      if (own && client::index_by_controller_uid(*own) != std::vector<std::string>{shape_.uid}) {
        return bad(fmt::format("PVC {0}/{1} was not created for pod {0}/{2} (pod is not owner)", shape_.ns, name,
                               shape_.name));
      }
      return claim(std::move(result), name, false);
    }
    Result<void> added = bad("");
    result.kind = VolumePlan::Kind::kFiles;
    result.read_only = true;
    if (const Value* map = volume.find("configMap")) {
      added = add_object(result, *map, "configmaps", map->at("name").as_string(), default_mode(*map));
    } else if (const Value* secret = volume.find("secret")) {
      added = add_object(result, *secret, "secrets", secret->at("secretName").as_string(), default_mode(*secret));
    } else if (const Value* downward = volume.find("downwardAPI")) {
      added = add_downward(result, *downward, default_mode(*downward));
    } else if (const Value* projected = volume.find("projected")) {
      added = add_projected(result, *projected);
    } else {
      // A volume without a source is an emptyDir by default (API defaulting); the name alone tells so.
      if (volume.size() <= 1) return empty_dir(std::move(result), Value());
      return unsupported(volume);
    }
    if (!added.ok()) return added.error();
    return result;
  }

 private:
  static int64_t default_mode(const Value& source) { return source.at("defaultMode").as_int(0644); }

  Result<VolumePlan> empty_dir(VolumePlan result, const Value& source) {
    bool memory = source.at("medium").as_string() == "Memory";
    result.kind = memory ? VolumePlan::Kind::kMemory : VolumePlan::Kind::kDirectory;
    result.read_only = false;
    auto limit = object::Quantity::parse(source.at("sizeLimit").as_string());
    if (limit.ok()) result.size_limit = limit->value();
    return result;
  }

  Result<VolumePlan> host_path(VolumePlan result, const Value& source) {
    result.kind = VolumePlan::Kind::kHost;
    result.host_path = source.at("path").as_string();
    result.host_path_type = source.at("type").as_string();
    result.fs_group.reset();  // the host's own files keep their owner
    return result;
  }

  Result<VolumePlan> nfs(VolumePlan result, const Value& source, const Value& options) {
    result.kind = VolumePlan::Kind::kNfs;
    result.nfs.server = source.at("server").as_string();
    result.nfs.path = source.at("path").as_string();
    result.nfs.read_only = source.at("readOnly").as_bool();
    for (const Value& option : options.items()) result.nfs.options.emplace_back(option.as_string());
    result.read_only = result.read_only || result.nfs.read_only;
    result.fs_group.reset();  // who may do what is the server's to say
    return result;
  }

  Result<VolumePlan> claim(VolumePlan result, std::string_view claim_name, bool read_only) {
    ObjectPtr object = lookup_("persistentvolumeclaims", claim_name);
    if (!object) return bad(fmt::format("persistentvolumeclaim \"{}\" not found", claim_name));
    if (object->deleting() && object->status().at("phase").as_string() != "Bound") {
      return bad(fmt::format("can't start pod because PVC {} is being deleted", claim_name));
    }
    std::string_view volume_name = object->spec().at("volumeName").as_string();
    if (volume_name.empty() || object->status().at("phase").as_string() != "Bound") {
      return bad(fmt::format("PVC {}/{} is not bound", shape_.ns, claim_name));
    }
    ObjectPtr volume = lookup_("persistentvolumes", volume_name);
    if (!volume) return bad(fmt::format("persistentvolume \"{}\" not found", volume_name));
    if (volume->spec().at({"claimRef", "uid"}).as_string() != object->uid()) {
      return bad(fmt::format("PV {} is bound to another claim than {}/{}", volume_name, shape_.ns, claim_name));
    }
    result.kind = VolumePlan::Kind::kHost;
    result.read_only = read_only;
    if (const Value* local = volume->spec().find("local")) {
      result.host_path = local->at("path").as_string();
      result.host_path_type = "Directory";
    } else if (const Value* host = volume->spec().find("hostPath")) {
      result.host_path = host->at("path").as_string();
      result.host_path_type = host->at("type").as_string();
      if (result.host_path_type.empty()) result.host_path_type = "DirectoryOrCreate";
      result.fs_group.reset();
    } else if (const Value* source = volume->spec().find("nfs")) {
      return nfs(std::move(result), *source, volume->spec().at("mountOptions"));
    } else {
      return unsupported(volume->spec());
    }
    return result;
  }

  Result<void> add_file(VolumePlan& result, std::string_view path, std::string content, int64_t mode) {
    if (!safe_relative(path)) return bad(fmt::format("invalid path \"{}\": must be relative and stay below", path));
    // Sources later in a projected volume win over earlier ones.
    std::erase_if(result.files, [&](const VolumeFile& file) { return file.path == path; });
    result.files.push_back({std::string(path), std::move(content), mode});
    return {};
  }

  Result<void> add_object(VolumePlan& result, const Value& source, std::string_view resource, std::string_view name,
                          int64_t mode) {
    bool secret = resource == "secrets";
    bool optional = source.at("optional").as_bool();
    ObjectPtr object = lookup_(resource, name);
    if (!object) {
      if (optional) return {};
      return bad(fmt::format("{} \"{}\" not found", secret ? "secret" : "configmap", name));
    }
    auto items = source.at("items").items();
    for (const Value& item : items) {
      std::string_view key = item.at("key").as_string();
      auto content = data_of(*object, key);
      if (!content) {
        if (optional) continue;
        return bad(fmt::format("{} non-existent {} key: {}", secret ? "references" : "configmap references",
                               secret ? "secret" : "config", key));
      }
      STEAD_TRY_VOID(add_file(result, item.at("path").as_string(), std::move(*content), item.at("mode").as_int(mode)));
    }
    if (!items.empty()) return {};
    for (std::string_view list : {"data", "binaryData"}) {
      for (const auto& member : object->document().at(list).members()) {
        auto content = data_of(*object, member.name());
        if (content) STEAD_TRY_VOID(add_file(result, member.name(), std::move(*content), mode));
      }
    }
    return {};
  }

  Result<void> add_downward(VolumePlan& result, const Value& source, int64_t mode) {
    for (const Value& item : source.at("items").items()) {
      std::string content;
      if (const Value* field = item.find("fieldRef")) {
        STEAD_TRY(text, downward_field(shape_, facts_, field->at("fieldPath").as_string()));
        content = std::move(text);
      } else if (const Value* resource = item.find("resourceFieldRef")) {
        STEAD_TRY(text, downward_resource(shape_, facts_, *resource, ""));
        content = std::move(text);
      }
      STEAD_TRY_VOID(add_file(result, item.at("path").as_string(), std::move(content), item.at("mode").as_int(mode)));
    }
    return {};
  }

  Result<void> add_projected(VolumePlan& result, const Value& projected) {
    int64_t mode = default_mode(projected);
    for (const Value& source : projected.at("sources").items()) {
      if (const Value* map = source.find("configMap")) {
        STEAD_TRY_VOID(add_object(result, *map, "configmaps", map->at("name").as_string(), mode));
      } else if (const Value* secret = source.find("secret")) {
        STEAD_TRY_VOID(add_object(result, *secret, "secrets", secret->at("name").as_string(), mode));
      } else if (const Value* downward = source.find("downwardAPI")) {
        STEAD_TRY_VOID(add_downward(result, *downward, mode));
      } else if (const Value* token = source.find("serviceAccountToken")) {
        std::string_view path = token->at("path").as_string();
        for (const auto& [reference, text] : tokens_) {
          if (reference.volume != result.name || reference.path != path) continue;
          // Readable by the container's user when the pod has one group for all: as upstream, 0600 or 0640.
          STEAD_TRY_VOID(add_file(result, path, text, fs_group_ ? 0640 : 0644));
        }
      }
    }
    return {};
  }

  const PodShape& shape_;
  const DownwardFacts& facts_;
  const ObjectLookup& lookup_;
  const Tokens& tokens_;
  std::optional<int64_t> fs_group_;
  bool on_mismatch_only_ = false;
};

using References = std::vector<std::pair<std::string, std::string>>;

void add_reference(References& list, std::string_view resource, std::string_view name) {
  if (name.empty()) return;
  std::pair<std::string, std::string> item(resource, name);
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(std::move(item));
}

void add_claim(References& list, std::string_view name, const ObjectLookup& lookup) {
  add_reference(list, "persistentvolumeclaims", name);
  if (ObjectPtr claim = lookup("persistentvolumeclaims", name)) {
    add_reference(list, "persistentvolumes", claim->spec().at("volumeName").as_string());
  }
}

}  // namespace

std::vector<TokenReference> token_references(const Value& pod_spec) {
  std::vector<TokenReference> list;
  for (const Value& volume : pod_spec.at("volumes").items()) {
    for (const Value& source : volume.at({"projected", "sources"}).items()) {
      const Value* token = source.find("serviceAccountToken");
      if (token == nullptr) continue;
      list.push_back({std::string(volume.at("name").as_string()), std::string(token->at("path").as_string()),
                      std::string(token->at("audience").as_string()), token->at("expirationSeconds").as_int(3600)});
    }
  }
  return list;
}

Result<std::vector<VolumePlan>> plan_volumes(const PodShape& shape, const DownwardFacts& facts,
                                             const ObjectLookup& lookup, const Tokens& tokens) {
  Planner planner(shape, facts, lookup, tokens);
  std::vector<VolumePlan> plans;
  for (const Value& volume : shape.spec().at("volumes").items()) {
    auto plan = planner.plan(volume);
    if (!plan.ok()) {
      return plan.error().with_context(
          fmt::format("MountVolume.SetUp failed for volume \"{}\" ", volume.at("name").as_string()));
    }
    plans.push_back(std::move(*plan));
  }
  return plans;
}

References pod_references(const PodShape& shape, const ObjectLookup& lookup) {
  References list;
  for (const Value& volume : shape.spec().at("volumes").items()) {
    add_reference(list, "configmaps", volume.at({"configMap", "name"}).as_string());
    add_reference(list, "secrets", volume.at({"secret", "secretName"}).as_string());
    for (const Value& source : volume.at({"projected", "sources"}).items()) {
      add_reference(list, "configmaps", source.at({"configMap", "name"}).as_string());
      add_reference(list, "secrets", source.at({"secret", "name"}).as_string());
    }
    if (const Value* claim = volume.find("persistentVolumeClaim")) {
      add_claim(list, claim->at("claimName").as_string(), lookup);
    } else if (volume.find("ephemeral") != nullptr) {
      add_claim(list, fmt::format("{}-{}", shape.name, volume.at("name").as_string()), lookup);
    }
  }
  for (const ContainerShape& container : shape.containers) {
    for (const Value& source : container.document->at("envFrom").items()) {
      add_reference(list, "configmaps", source.at({"configMapRef", "name"}).as_string());
      add_reference(list, "secrets", source.at({"secretRef", "name"}).as_string());
    }
    for (const Value& variable : container.document->at("env").items()) {
      add_reference(list, "configmaps", variable.at({"valueFrom", "configMapKeyRef", "name"}).as_string());
      add_reference(list, "secrets", variable.at({"valueFrom", "secretKeyRef", "name"}).as_string());
    }
  }
  for (const Value& secret : shape.spec().at("imagePullSecrets").items()) {
    add_reference(list, "secrets", secret.at("name").as_string());
  }
  return list;
}

}  // namespace stead::node
