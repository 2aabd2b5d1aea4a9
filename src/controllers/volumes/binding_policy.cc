#include "controllers/volumes/binding_policy.h"

#include <algorithm>

#include "controllers/requests.h"
#include "controllers/volumes/names.h"
#include "kinds/semantics/volume_fit.h"
#include "object/quantity.h"

namespace stead::controllers::volumes {
namespace {

using client::Plan;
using object::Object;

std::string_view annotation(const Object& object, std::string_view name) {
  return object.metadata().at({"annotations", name}).as_string();
}

// Provisioners that Kubernetes once had itself, and the CSI drivers that took them over (KEP-625): their classes are
// served by the driver.
constexpr std::pair<std::string_view, std::string_view> kMigratedProvisioners[] = {
    {"kubernetes.io/aws-ebs", "ebs.csi.aws.com"},
    {"kubernetes.io/azure-disk", "disk.csi.azure.com"},
    {"kubernetes.io/azure-file", "file.csi.azure.com"},
    {"kubernetes.io/cinder", "cinder.csi.openstack.org"},
    {"kubernetes.io/gce-pd", "pd.csi.storage.gke.io"},
    {"kubernetes.io/portworx-volume", "pxd.portworx.com"},
    {"kubernetes.io/vsphere-volume", "csi.vsphere.vmware.com"},
};
constexpr std::string_view kInTreePrefix = "kubernetes.io/";

std::string_view external_provisioner(std::string_view provisioner) {
  for (const auto& [in_tree, driver] : kMigratedProvisioners) {
    if (provisioner == in_tree) return driver;
  }
  return provisioner;
}

std::string_view volume_mode(const Object& object) {
  std::string_view mode = object.spec().at("volumeMode").as_string();
  return mode.empty() ? "Filesystem" : mode;
}

bool is_default(const Object& storage_class) {
  return annotation(storage_class, kDefaultClass) == "true" || annotation(storage_class, kDefaultClassBeta) == "true";
}

void set_phase(Plan& plan, const ResourceRef& resource, const Object& object, std::string_view phase,
               std::string_view message = {}) {
  if (object.status().at("phase").as_string() == phase) return;
  Value status = object.status();
  status.set("phase", phase);
  status.erase("message");
  if (!message.empty()) status.set("message", message);
  plan.steps.push_back(
      {.request = patch_request(resource, object, Value::object({{"status", std::move(status)}}), "status")});
}

class ClaimDecider {
 public:
  explicit ClaimDecider(const ClaimObserved& observed) : observed_(observed), claim_(*observed.claim) {}

  Plan decide() {
    bool completed = claim_.metadata().at("annotations").find(kBindCompleted) != nullptr;
    std::string_view volume_name = claim_.spec().at("volumeName").as_string();
    if (completed) {
      check_bound(volume_name);
    } else if (!volume_name.empty()) {
      bind_requested(volume_name);
    } else {
      bind_any();
    }
    return std::move(plan_);
  }

 private:
  void check_bound(std::string_view volume_name) {
    if (volume_name.empty()) {
      return lose("ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!");
    }
    ObjectPtr volume = observed_.volume(volume_name);
    if (!volume) return lose("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
    if (volume->spec().at("claimRef").is_null() || kinds::is_bound_to(*volume, claim_)) return bind(*volume);
    lose("ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly");
  }

  void lose(std::string reason, std::string message) {
    if (claim_.status().at("phase").as_string() == "Lost") return;
    plan_.events.push_back({observed_.claim, "Warning", std::move(reason), std::move(message), ""});
    set_phase(plan_, kClaims, claim_, "Lost");
  }

  // The user named the volume.
  void bind_requested(std::string_view volume_name) {
    ObjectPtr volume = observed_.volume(volume_name);
    if (!volume) return set_phase(plan_, kClaims, claim_, "Pending");
    bool reserved = !volume->spec().at("claimRef").is_null();
    // Named from both sides: whoever wrote both knows what he wants.
    if (reserved && kinds::is_bound_to(*volume, claim_)) return bind(*volume);
    if (reserved) {
      event("Warning", "FailedBinding",
            "volume \"" + std::string(volume_name) + "\" already bound to a different claim.");
      return set_phase(plan_, kClaims, claim_, "Pending");
    }
    std::string mismatch = find_mismatch(*volume);
    if (mismatch.empty()) return bind(*volume);
    event("Warning", "VolumeMismatch",
          "Cannot bind to requested volume \"" + std::string(volume_name) + "\": " + mismatch);
    set_phase(plan_, kClaims, claim_, "Pending");
  }

  std::string find_mismatch(const Object& volume) const {
    auto size = [](const Value& list) {
      auto parsed = object::Quantity::parse(list.at("storage").as_string());
      return parsed.ok() ? *parsed : object::Quantity();
    };
    if (size(volume.spec().at("capacity")) < size(claim_.spec().at({"resources", "requests"}))) {
      return "requested PV is too small";
    }
    if (kinds::storage_class_of(volume) != kinds::storage_class_of(claim_)) return "storageClassName does not match";
    if (volume_mode(volume) != volume_mode(claim_)) return "incompatible volumeMode";
    std::span<const Value> offered = volume.spec().at("accessModes").items();
    for (const Value& wanted : claim_.spec().at("accessModes").items()) {
      if (std::find(offered.begin(), offered.end(), wanted) == offered.end()) return "incompatible accessMode";
    }
    return "";
  }

  void bind_any() {
    ObjectPtr storage_class = observed_.storage_class(kinds::storage_class_of(claim_));
    bool delayed =
        storage_class && storage_class->document().at("volumeBindingMode").as_string() == "WaitForFirstConsumer";
    std::vector<ObjectPtr> volumes = observed_.volumes();
    // A delayed claim takes only a volume reserved for it: the scheduler chooses by node.
    if (delayed)
      std::erase_if(volumes, [](const ObjectPtr& volume) { return volume->spec().at("claimRef").is_null(); });
    if (ObjectPtr volume = kinds::best_volume(volumes, claim_)) return bind(*volume);
    if (!kinds::has_class(claim_) && take_default_class()) return;
    if (delayed && annotation(claim_, kSelectedNode).empty()) {
      wait_for_consumer();
    } else if (storage_class) {
      ask_provisioner(*storage_class);
    } else if (!kinds::storage_class_of(claim_).empty()) {
      event("Warning", "ProvisioningFailed",
            "storageclass.storage.k8s.io \"" + std::string(kinds::storage_class_of(claim_)) + "\" not found");
    } else {
      event("Normal", "FailedBinding", "no persistent volumes available for this claim and no storage class is set");
    }
    set_phase(plan_, kClaims, claim_, "Pending");
  }

  bool take_default_class() {
    ObjectPtr chosen = default_class(observed_.storage_classes());
    if (!chosen) return false;
    Value document = claim_.document();
    document["spec"].set("storageClassName", chosen->name());
    plan_.steps.push_back({.request = update_request(kClaims, std::move(document))});
    return true;
  }

  void wait_for_consumer() {
    if (observed_.waiting_pods.empty()) {
      return event("Normal", "WaitForFirstConsumer", "waiting for first consumer to be created before binding");
    }
    std::string names;
    for (const std::string& name : observed_.waiting_pods) names += (names.empty() ? "" : ",") + name;
    std::string pods = observed_.waiting_pods.size() == 1 ? "pod " : "pods ";
    event("Normal", "WaitForPodScheduled", "waiting for " + pods + names + " to be scheduled");
  }

  void ask_provisioner(const Object& storage_class) {
    std::string_view provisioner = external_provisioner(storage_class.document().at("provisioner").as_string());
    if (provisioner.starts_with(kInTreePrefix)) {
      return event("Warning", "ProvisioningFailed", "no volume plugin matched name: " + std::string(provisioner));
    }
    if (annotation(claim_, kStorageProvisioner) != provisioner) {
      Value document = claim_.document();
      document["metadata"]["annotations"].set(kStorageProvisioner, provisioner);
      document["metadata"]["annotations"].set(kStorageProvisionerBeta, provisioner);
      plan_.steps.push_back({.request = update_request(kClaims, std::move(document))});
    }
    // Ours answers within milliseconds; an event for that would be noise.
    if (provisioner == kLocalProvisioner) return;
    event("Normal", "ExternalProvisioning",
          "Waiting for a volume to be created either by the external provisioner '" + std::string(provisioner) +
              "' or manually by the system administrator. If volume creation is delayed, please verify that the "
              "provisioner is running and correctly registered.");
  }

  // Volume first: once it names the claim by UID nobody else can take it.
  void bind(const Object& volume) {
    const Value& reference = volume.spec().at("claimRef");
    if (reference.at("uid").as_string() != claim_.uid()) {
      Value document = volume.document();
      if (reference.is_null()) document["metadata"]["annotations"].set(kBoundByController, "yes");
      document["spec"].set("claimRef", Value::object({{"apiVersion", "v1"},
                                                      {"kind", "PersistentVolumeClaim"},
                                                      {"namespace", claim_.ns()},
                                                      {"name", claim_.name()},
                                                      {"uid", claim_.uid()},
                                                      {"resourceVersion", std::to_string(claim_.revision())}}));
      plan_.steps.push_back({.request = update_request(kVolumes, std::move(document))});
    }
    bool chosen_here = claim_.spec().at("volumeName").as_string() != volume.name();
    if (chosen_here || claim_.metadata().at("annotations").find(kBindCompleted) == nullptr) {
      Value document = claim_.document();
      document["spec"].set("volumeName", volume.name());
      if (chosen_here) document["metadata"]["annotations"].set(kBoundByController, "yes");
      document["metadata"]["annotations"].set(kBindCompleted, "yes");
      plan_.steps.push_back({.request = update_request(kClaims, std::move(document))});
    }
    set_bound_status(volume);
  }

  void set_bound_status(const Object& volume) {
    Value status = claim_.status();
    status.set("phase", "Bound");
    status.set("accessModes", volume.spec().at("accessModes"));
    // The size the file system has; growing it later is the resizer's word.
    if (claim_.status().at("phase").as_string() != "Bound" || status.at("capacity").empty()) {
      status.set("capacity", volume.spec().at("capacity"));
    }
    if (status == claim_.status()) return;
    plan_.steps.push_back(
        {.request = patch_request(kClaims, claim_, Value::object({{"status", std::move(status)}}), "status")});
  }

  void event(std::string type, std::string reason, std::string message) {
    plan_.events.push_back({observed_.claim, std::move(type), std::move(reason), std::move(message), ""});
  }

  const ClaimObserved& observed_;
  const Object& claim_;
  Plan plan_;
};

// Nobody will delete or empty the volume.
void fail_reclaim(Plan& plan, const ObjectPtr& volume, std::string reason, std::string why) {
  plan.events.push_back({volume, "Warning", std::move(reason), why, ""});
  plan.steps.clear();
  set_phase(plan, kVolumes, *volume, "Failed", why);
}

// The claim this volume was for is gone, or is another one of the same name.
void reclaim(Plan& plan, const ObjectPtr& volume) {
  std::string_view phase = volume->status().at("phase").as_string();
  if (phase == "Failed") return;
  set_phase(plan, kVolumes, *volume, "Released");
  std::string_view policy = volume->spec().at("persistentVolumeReclaimPolicy").as_string();
  if (policy == "Recycle") {
    return fail_reclaim(plan, volume, "VolumeFailedRecycle",
                        "No recycler plugin found for the volume! The Recycle policy is deprecated: use Delete with a "
                        "dynamic provisioner, or Retain");
  }
  if (policy != "Delete") return;
  // Whoever provisioned the volume deletes it; nobody else knows how.
  std::string_view provisioner = external_provisioner(annotation(*volume, kProvisionedBy));
  if (provisioner.empty() || provisioner.starts_with(kInTreePrefix)) {
    fail_reclaim(plan, volume, "VolumeFailedDelete",
                 "error getting deleter volume plugin for volume \"" + std::string(volume->name()) +
                     "\": no deletable volume plugin matched");
  }
}

// The claim's own decision passes such a volume over without a word.
void tell_of_modes(Plan& plan, const VolumeObserved& observed) {
  plan.events.push_back({observed.volume, "Warning", "VolumeMismatch",
                         "Cannot bind PersistentVolume to requested PersistentVolumeClaim \"" +
                             std::string(observed.claim->name()) + "\" due to incompatible volumeMode.",
                         ""});
  plan.events.push_back({observed.claim, "Warning", "VolumeMismatch",
                         "Cannot bind PersistentVolume \"" + std::string(observed.volume->name()) +
                             "\" to requested PersistentVolumeClaim due to incompatible volumeMode.",
                         ""});
}

// A claim bound elsewhere does not need this volume: back to how the user made it.
void unbind(Plan& plan, const Object& volume) {
  Value document = volume.document();
  if (annotation(volume, kBoundByController).empty()) {
    document["spec"]["claimRef"].erase("uid");
    document["spec"]["claimRef"].erase("resourceVersion");
  } else {
    document["spec"].erase("claimRef");
    document["metadata"]["annotations"].erase(kBoundByController);
  }
  plan.steps.push_back({.request = update_request(kVolumes, std::move(document))});
}

}  // namespace

Plan decide_claim(const ClaimObserved& observed) { return ClaimDecider(observed).decide(); }

Plan decide_volume(const VolumeObserved& observed) {
  Plan plan;
  const Object& volume = *observed.volume;
  std::string_view uid = volume.spec().at({"claimRef", "uid"}).as_string();
  if (uid.empty()) {
    set_phase(plan, kVolumes, volume, "Available");
  } else if (!observed.claim || observed.claim->uid() != uid) {
    reclaim(plan, observed.volume);
  } else if (observed.claim->spec().at("volumeName").as_string() == volume.name()) {
    set_phase(plan, kVolumes, volume, "Bound");
  } else if (observed.claim->spec().at("volumeName").as_string().empty() &&
             volume_mode(*observed.claim) != volume_mode(volume)) {
    tell_of_modes(plan, observed);
  } else if (!observed.claim->spec().at("volumeName").as_string().empty()) {
    bool ours_to_delete = !annotation(volume, kProvisionedBy).empty() &&
                          volume.spec().at("persistentVolumeReclaimPolicy").as_string() == "Delete";
    if (ours_to_delete) {
      reclaim(plan, observed.volume);
    } else {
      unbind(plan, volume);
    }
  }
  // Else the claim is about to take it; its own decision does that.
  return plan;
}

ObjectPtr default_class(const std::vector<ObjectPtr>& storage_classes) {
  ObjectPtr best;
  auto created = [](const Object& object) { return object.metadata().at("creationTimestamp").as_string(); };
  for (const ObjectPtr& candidate : storage_classes) {
    if (!is_default(*candidate)) continue;
    if (!best || created(*candidate) > created(*best) ||
        (created(*candidate) == created(*best) && candidate->name() < best->name())) {
      best = candidate;
    }
  }
  return best;
}

}  // namespace stead::controllers::volumes
