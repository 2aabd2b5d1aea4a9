#include "controllers/volumes/local_provisioner_policy.h"

#include <algorithm>
#include <charconv>

#include "controllers/requests.h"
#include "controllers/volumes/names.h"
#include "kinds/meta/conditions.h"
#include "kinds/semantics/volume_fit.h"

namespace stead::controllers::volumes {
namespace {

constexpr std::string_view kHostnameLabel = "kubernetes.io/hostname";

std::string_view annotation(const Object& object, std::string_view name) {
  return object.metadata().at({"annotations", name}).as_string();
}

bool takes_pods(const Object& node) {
  if (node.spec().at("unschedulable").as_bool()) return false;
  return kinds::is_condition_true(node.status(), "Ready");
}

// FNV-1a: the choice stays the same from one start to the next.
uint64_t hash_of(std::string_view text) {
  uint64_t hash = 14695981039346656037U;
  for (char character : text) hash = (hash ^ static_cast<unsigned char>(character)) * 1099511628211U;
  return hash;
}

}  // namespace

ObjectPtr choose_volume_node(std::string_view claim, const std::vector<ObjectPtr>& nodes) {
  std::vector<ObjectPtr> candidates;
  std::copy_if(nodes.begin(), nodes.end(), std::back_inserter(candidates),
               [](const ObjectPtr& node) { return takes_pods(*node); });
  if (candidates.empty()) candidates = nodes;
  if (candidates.empty()) return nullptr;
  // "data-web-12": the ordinal decides, shifted by what stands before it, "web", which the pod's other claims share.
  uint64_t ordinal = 0;
  size_t dash = claim.rfind('-');
  if (dash != std::string_view::npos) {
    auto [end, failed] = std::from_chars(claim.data() + dash + 1, claim.data() + claim.size(), ordinal);
    if (failed == std::errc() && end == claim.data() + claim.size()) claim = claim.substr(0, dash);
  }
  dash = claim.rfind('-');
  if (dash != std::string_view::npos) claim = claim.substr(dash + 1);
  return candidates[(hash_of(claim) + ordinal) % candidates.size()];
}

bool wants_local_volume(const Object& claim, const Object* storage_class) {
  if (claim.deleting() || !claim.spec().at("volumeName").as_string().empty()) return false;
  if (storage_class == nullptr) return false;
  if (storage_class->document().at("provisioner").as_string() != kLocalProvisioner) return false;
  if (annotation(claim, kStorageProvisioner) != kLocalProvisioner) return false;
  bool delayed = storage_class->document().at("volumeBindingMode").as_string() == "WaitForFirstConsumer";
  return !delayed || !annotation(claim, kSelectedNode).empty();
}

std::string local_volume_obstacle(const Object& claim) {
  if (claim.spec().at("volumeMode").as_string() == "Block") return "block volumes are not supported";
  const Value* selector = claim.spec().find("selector");
  if (selector != nullptr && !selector->is_null()) return "claim.Spec.Selector is not supported";
  for (std::string_view source : {"dataSource", "dataSourceRef"}) {
    const Value* found = claim.spec().find(source);
    if (found != nullptr && !found->is_null()) return "claim.Spec." + std::string(source) + " is not supported";
  }
  return "";
}

std::string local_volume_name(const Object& claim) { return "pvc-" + std::string(claim.uid()); }

std::string_view host_name_of(const Object& node) {
  std::string_view hostname = node.metadata().at({"labels", kHostnameLabel}).as_string();
  return hostname.empty() ? node.name() : hostname;
}

std::string_view volume_host(const Object& volume) {
  for (const Value& term : volume.spec().at({"nodeAffinity", "required", "nodeSelectorTerms"}).items()) {
    for (const Value& expression : term.at("matchExpressions").items()) {
      auto values = expression.at("values").items();
      if (expression.at("key").as_string() == kHostnameLabel && values.size() == 1) return values[0].as_string();
    }
  }
  return {};
}

Value make_local_volume(const Object& claim, const Object& storage_class, const Object& node, const std::string& path) {
  Value expression =
      Value::object({{"key", kHostnameLabel}, {"operator", "In"}, {"values", Value::array({host_name_of(node)})}});
  Value term = Value::object({{"matchExpressions", Value::array({std::move(expression)})}});
  Value affinity =
      Value::object({{"required", Value::object({{"nodeSelectorTerms", Value::array({std::move(term)})}})}});
  std::string_view policy = storage_class.document().at("reclaimPolicy").as_string();
  Value spec = Value::object({{"capacity", claim.spec().at({"resources", "requests"})},
                              {"accessModes", claim.spec().at("accessModes")},
                              {"volumeMode", "Filesystem"},
                              {"persistentVolumeReclaimPolicy", policy.empty() ? "Delete" : policy},
                              {"storageClassName", kinds::storage_class_of(claim)},
                              {"claimRef", Value::object({{"apiVersion", "v1"},
                                                          {"kind", "PersistentVolumeClaim"},
                                                          {"namespace", claim.ns()},
                                                          {"name", claim.name()},
                                                          {"uid", claim.uid()},
                                                          {"resourceVersion", std::to_string(claim.revision())}})},
                              {"local", Value::object({{"path", path}})},
                              {"nodeAffinity", std::move(affinity)}});
  if (const Value* options = storage_class.document().find("mountOptions")) spec.set("mountOptions", *options);
  Value metadata = Value::object({{"name", local_volume_name(claim)},
                                  {"annotations", Value::object({{kProvisionedBy, kLocalProvisioner}})},
                                  {"finalizers", Value::array({kVolumeProtection, kProvisionerFinalizer})}});
  return Value::object({{"apiVersion", "v1"},
                        {"kind", "PersistentVolume"},
                        {"metadata", std::move(metadata)},
                        {"spec", std::move(spec)}});
}

LocalRemoval decide_local_removal(const Object& volume) {
  LocalRemoval removal;
  if (annotation(volume, kProvisionedBy) != kLocalProvisioner) return removal;
  std::string_view phase = volume.status().at("phase").as_string();
  bool deletes = volume.spec().at("persistentVolumeReclaimPolicy").as_string() == "Delete";
  removal.directory = deletes && phase == "Released";
  bool let_go = removal.directory || (volume.deleting() && !deletes && phase != "Bound");
  if (!let_go) return removal;
  Value document = volume.document();
  std::vector<Value>& finalizers = document["metadata"]["finalizers"].mutable_items();
  size_t erased = std::erase_if(finalizers, [](const Value& one) { return one.as_string() == kProvisionerFinalizer; });
  if (erased > 0) removal.plan.steps.push_back({.request = update_request(kVolumes, std::move(document))});
  if (!volume.deleting()) {
    removal.plan.steps.push_back({.request = delete_request(kVolumes, volume), .tolerated = {Reason::kNotFound}});
  }
  return removal;
}

Value standard_storage_class() {
  return Value::object(
      {{"apiVersion", "storage.k8s.io/v1"},
       {"kind", "StorageClass"},
       {"metadata", Value::object({{"name", "standard"}, {"annotations", Value::object({{kDefaultClass, "true"}})}})},
       {"provisioner", kLocalProvisioner},
       {"reclaimPolicy", "Delete"},
       {"volumeBindingMode", "Immediate"}});
}

}  // namespace stead::controllers::volumes
