#include "scheduler/volume_binding.h"

#include <algorithm>

#include "client/informer.h"
#include "kinds/semantics/node_selector.h"
#include "kinds/semantics/volume_fit.h"

namespace stead::scheduler {
namespace {

constexpr std::string_view kSelectedNode = "volume.kubernetes.io/selected-node";
constexpr std::string_view kBindCompleted = "pv.kubernetes.io/bind-completed";
constexpr std::string_view kExclusiveMode = "ReadWriteOncePod";
constexpr std::string_view kNoProvisioner = "kubernetes.io/no-provisioner";

bool reaches(const Object& volume, const NodeInfo& node) {
  const Value* required = volume.spec().find({"nodeAffinity", "required"});
  return required == nullptr || required->is_null() || kinds::matches_node_selector(*required, *node.node);
}

// StorageClass.allowedTopologies: alternatives, each a list of labels with allowed values.
bool allows_node(const Object& storage_class, const NodeInfo& node) {
  std::span<const Value> terms = storage_class.document().at("allowedTopologies").items();
  if (terms.empty()) return true;
  const Value& labels = node.node->metadata().at("labels");
  return std::any_of(terms.begin(), terms.end(), [&](const Value& term) {
    std::span<const Value> expressions = term.at("matchLabelExpressions").items();
    return std::all_of(expressions.begin(), expressions.end(), [&](const Value& expression) {
      std::span<const Value> values = expression.at("values").items();
      const Value* actual = labels.find(expression.at("key").as_string());
      return actual != nullptr && std::find(values.begin(), values.end(), *actual) != values.end();
    });
  });
}

}  // namespace

VolumeBinding::VolumeBinding(const PodInfo& pod, const ClusterState& cluster, const StorageView& storage)
    : pod_(pod), cluster_(cluster), storage_(storage) {
  for (const Value& volume : pod.pod->spec().at("volumes").items()) {
    const Value* claim = volume.find("persistentVolumeClaim");
    if (claim != nullptr && claim->is_object()) {
      read_claim(std::string(claim->at("claimName").as_string()), false);
    } else if (volume.find("ephemeral") != nullptr) {
      read_claim(std::string(pod.pod->name()) + "-" + std::string(volume.at("name").as_string()), true);
    }
    if (!failure_.empty()) return;
  }
}

void VolumeBinding::read_claim(const std::string& name, bool ephemeral) {
  has_claims_ = true;
  ObjectPtr claim = storage_.claim(std::string(pod_.pod->ns()), name);
  if (!claim) {
    failure_ = ephemeral
                   ? "waiting for ephemeral volume controller to create the persistentvolumeclaim \"" + name + "\""
                   : "persistentvolumeclaim \"" + name + "\" not found";
    return;
  }
  if (ephemeral && client::index_by_controller_uid(*claim) != std::vector<std::string>{std::string(pod_.pod->uid())}) {
    std::string ns(pod_.pod->ns());
    failure_ = "PVC " + ns + "/" + name + " was not created for pod " + ns + "/" + std::string(pod_.pod->name()) +
               " (pod is not owner)";
    return;
  }
  if (claim->status().at("phase").as_string() == "Lost") {
    failure_ = "persistentvolumeclaim \"" + name + "\" bound to non-existent persistentvolume \"" +
               std::string(claim->spec().at("volumeName").as_string()) + "\"";
    return;
  }
  if (claim->deleting()) {
    failure_ = "persistentvolumeclaim \"" + name + "\" is being deleted";
    return;
  }
  for (const Value& mode : claim->spec().at("accessModes").items()) {
    if (mode.as_string() == kExclusiveMode) exclusive_.push_back(client::object_key(*claim));
  }
  std::string_view volume_name = claim->spec().at("volumeName").as_string();
  if (!volume_name.empty() && claim->metadata().at("annotations").find(kBindCompleted) != nullptr) {
    ObjectPtr volume = storage_.volume(volume_name);
    if (volume) {
      bound_volumes_.push_back(std::move(volume));
    } else {
      failure_ = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";
    }
    return;
  }
  ObjectPtr storage_class = storage_.storage_class(kinds::storage_class_of(*claim));
  bool delayed =
      storage_class && storage_class->document().at("volumeBindingMode").as_string() == "WaitForFirstConsumer";
  if (!delayed || !volume_name.empty()) {
    failure_ = "pod has unbound immediate PersistentVolumeClaims";
    return;
  }
  waiting_.push_back(std::move(claim));
}

// By the pods of this node as they are in thought, and those of the others as they are.
bool VolumeBinding::used_by_another(const std::string& claim, const NodeInfo& node) const {
  const auto* users = cluster_.users_of_claim(claim);
  if (users == nullptr) return false;
  return std::any_of(users->begin(), users->end(), [&](const auto& user) {
    return user.second != node.node->name() || node.pods.contains(user.first);
  });
}

bool VolumeBinding::provisionable(const Object& claim, const NodeInfo& node) const {
  ObjectPtr storage_class = storage_.storage_class(kinds::storage_class_of(claim));
  if (!storage_class) return false;
  std::string_view provisioner = storage_class->document().at("provisioner").as_string();
  return !provisioner.empty() && provisioner != kNoProvisioner && allows_node(*storage_class, node);
}

ObjectPtr VolumeBinding::find_volume(const Object& claim, const NodeInfo& node,
                                     const std::vector<ClaimChoice>& taken) const {
  std::vector<ObjectPtr> candidates;
  for (const ObjectPtr& volume : storage_.volumes()) {
    bool used = std::any_of(taken.begin(), taken.end(), [&](const ClaimChoice& one) { return one.volume == volume; });
    if (!used && reaches(*volume, node)) candidates.push_back(volume);
  }
  return kinds::best_volume(candidates, claim);
}

Verdict VolumeBinding::filter(const NodeInfo& node) const {
  for (const std::string& claim : exclusive_) {
    if (used_by_another(claim, node)) {
      return Verdict::rejects(
          "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode");
    }
  }
  for (const ObjectPtr& volume : bound_volumes_) {
    if (!reaches(*volume, node)) {
      return Verdict::rejects_for_good("node(s) didn't match PersistentVolume's node affinity");
    }
  }
  std::vector<ClaimChoice> taken;
  for (const ObjectPtr& claim : waiting_) {
    std::string_view selected = claim->metadata().at({"annotations", kSelectedNode}).as_string();
    bool elsewhere = !selected.empty() && selected != node.node->name();
    ObjectPtr volume = elsewhere ? nullptr : find_volume(*claim, node, taken);
    if (!volume && (elsewhere || !provisionable(*claim, node))) {
      return Verdict::rejects_for_good("node(s) didn't find available persistent volumes to bind");
    }
    if (volume) taken.push_back({claim, std::move(volume)});
  }
  return Verdict::fits();
}

std::vector<ClaimChoice> VolumeBinding::choose(const NodeInfo& node) const {
  std::vector<ClaimChoice> choices;
  for (const ObjectPtr& claim : waiting_) choices.push_back({claim, find_volume(*claim, node, choices)});
  return choices;
}

}  // namespace stead::scheduler
