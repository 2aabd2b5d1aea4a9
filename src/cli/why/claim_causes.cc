// Why a claim is not Bound, or a volume not of use.

#include <fmt/format.h>

#include <algorithm>

#include "cli/why/explain.h"
#include "kinds/semantics/volume_fit.h"
#include "object/quantity.h"
#include "object/selector.h"

namespace stead::cli::why {
namespace {

using object::Object;

constexpr std::string_view kDefaultMark = "storageclass.kubernetes.io/is-default-class";
constexpr std::string_view kOwnProvisioner = "stead.dev/local";

std::string quantity_text(const Value& value) { return value.is_string() ? std::string(value.as_string()) : "0"; }

object::Quantity quantity(const Value& value) {
  auto parsed = object::Quantity::parse(value.as_string());
  return parsed.ok() ? *parsed : object::Quantity();
}

std::string class_text(std::string_view name) { return name.empty() ? "no class" : fmt::format("class {}", name); }

// Why a volume does not serve a claim; empty where it would.
std::string misfit(const Object& volume, const Object& claim) {
  if (kinds::volume_fits(volume, claim)) return {};
  std::string_view phase = volume.status().at("phase").as_string();
  const Value& owner = volume.spec().at("claimRef");
  if (volume.deleting()) return "is being deleted";
  if (!owner.is_null() && !kinds::is_bound_to(volume, claim)) {
    return fmt::format("is for the claim {}/{}", owner.at("namespace").as_string(), owner.at("name").as_string());
  }
  if (kinds::storage_class_of(volume) != kinds::storage_class_of(claim)) {
    return fmt::format("has {}", class_text(kinds::storage_class_of(volume)));
  }
  const Value& size = volume.spec().at({"capacity", "storage"});
  if (quantity(size) < quantity(claim.spec().at({"resources", "requests", "storage"}))) {
    return fmt::format("is too small: {}", quantity_text(size));
  }
  for (const Value& mode : claim.spec().at("accessModes").items()) {
    auto modes = volume.spec().at("accessModes").items();
    if (std::find(modes.begin(), modes.end(), mode) == modes.end()) return fmt::format("lacks {}", mode.as_string());
  }
  if (volume.spec().at("volumeMode") != claim.spec().at("volumeMode")) return "has another volumeMode";
  if (const Value* selector = claim.spec().find("selector")) {
    auto wanted = object::LabelSelector::from_document(*selector);
    if (wanted.ok() && !wanted->matches(volume.metadata().at("labels"))) return "does not match the claim's selector";
  }
  return fmt::format("is {}", phase.empty() ? "not yet Available" : phase);
}

std::vector<Cause> misfits(const ClusterView& view, const Object& claim) {
  std::vector<Cause> causes;
  for (const ObjectPtr& volume : view.list("persistentvolumes")) {
    std::string why = misfit(*volume, claim);
    if (!why.empty()) causes.push_back({fmt::format("volume {} {}", volume->name(), why), {}, {}});
  }
  return causes;
}

std::string make_volume(const Object& claim) {
  return fmt::format("kubectl apply -f VOLUME.yaml   # a PersistentVolume of {} with at least {}",
                     class_text(kinds::storage_class_of(claim)),
                     quantity_text(claim.spec().at({"resources", "requests", "storage"})));
}

Cause without_class(const ClusterView& view, const Object& claim) {
  Cause cause{"it has no storage class, so that only a volume made by hand serves it", make_volume(claim),
              misfits(view, claim)};
  if (kinds::has_class(claim)) return cause;  // "" on purpose
  cause.text = "it names no storage class, and none is the default";
  if (!view.list("storageclasses").empty()) {
    cause.mend = fmt::format("kubectl annotate storageclass {} {}=true --overwrite",
                             view.list("storageclasses").front()->name(), kDefaultMark);
  }
  return cause;
}

const Object* user_of(const ClusterView& view, const Object& claim, bool with_node) {
  for (const ObjectPtr& pod : view.list("pods")) {
    if (pod->ns() != claim.ns()) continue;
    if (with_node && pod->spec().at("nodeName").as_string().empty()) continue;
    for (const Value& volume : pod->spec().at("volumes").items()) {
      if (volume.at({"persistentVolumeClaim", "claimName"}).as_string() == claim.name()) return pod.get();
    }
  }
  return nullptr;
}

Cause with_class(const ClusterView& view, const Object& claim, std::string_view name) {
  ObjectPtr storage_class = view.find("storageclasses", "", name);
  if (!storage_class) {
    Cause cause{fmt::format("its storage class {} does not exist", name),
                fmt::format("kubectl apply -f CLASS.yaml   # a StorageClass named {}; there are: ", name),
                misfits(view, claim)};
    std::string known;
    for (const ObjectPtr& each : view.list("storageclasses"))
      known += (known.empty() ? "" : ", ") + std::string(each->name());
    cause.mend += known.empty() ? "none" : known;
    return cause;
  }
  std::string failed = view.newest_warning(claim, {"ProvisioningFailed", "FailedBinding", "VolumeMismatch"});
  const Value& document = storage_class->document();
  std::string_view provisioner = document.at("provisioner").as_string();
  if (!failed.empty()) {
    return {fmt::format("the provisioner {} failed: {}", provisioner, failed),
            fmt::format("kubectl describe pvc {}{}", claim.name(), namespace_option(claim)),
            {}};
  }
  bool waits = document.at("volumeBindingMode").as_string() == "WaitForFirstConsumer";
  if (waits && user_of(view, claim, false) == nullptr) {
    return {fmt::format("its class {} waits for a pod that uses the claim, and there is none", name),
            "kubectl apply -f POD.yaml   # with a volume of this claim",
            {}};
  }
  if (provisioner == "kubernetes.io/no-provisioner") {
    return {fmt::format("nobody makes volumes of the class {}: they are made by hand", name), make_volume(claim),
            misfits(view, claim)};
  }
  if (provisioner != kOwnProvisioner) {
    return {
        fmt::format("it waits for the provisioner {}, which is not part of this program: is it running?", provisioner),
        fmt::format("kubectl get pods -A   # start the provisioner {}, or use another class", provisioner),
        {}};
  }
  return {"its volume is being made", {}, {}};
}

Cause deleting(const ClusterView& view, const Object& claim, std::string text) {
  Cause cause{std::move(text), {}, {}};
  if (const Object* user = user_of(view, claim, false)) {
    cause.causes.push_back({fmt::format("the pod {} uses it", user->name()),
                            fmt::format("kubectl delete pod {}{}", user->name(), namespace_option(claim)),
                            {}});
  }
  return cause;
}

}  // namespace

Cause explain_claim(const ClusterView& view, const Object& claim) {
  std::string title = fmt::format("claim {}/{}", claim.ns(), claim.name());
  std::string_view phase = claim.status().at("phase").as_string();
  std::string_view volume_name = claim.spec().at("volumeName").as_string();
  if (claim.deleting()) return deleting(view, claim, title + " is being deleted");
  if (phase == "Bound") return {fmt::format("{} is Bound to the volume {}", title, volume_name), {}, {}};
  if (phase == "Lost") {
    return {title + " is Lost",
            {},
            {{fmt::format("its volume {} is gone, with the data", volume_name),
              fmt::format("kubectl delete pvc {}{}   # and restore the data into a new one", claim.name(),
                          namespace_option(claim)),
              {}}}};
  }
  Cause cause{title + " is Pending: no volume is bound to it", {}, {}};
  if (!volume_name.empty()) {
    ObjectPtr volume = view.find("persistentvolumes", "", volume_name);
    if (!volume) {
      cause.causes.push_back(
          {fmt::format("the volume {} that it names does not exist", volume_name), make_volume(claim), {}});
      return cause;
    }
    std::string why = misfit(*volume, claim);
    cause.causes.push_back(
        {fmt::format("the volume {} that it names {}", volume_name, why.empty() ? "is being bound" : why), {}, {}});
    return cause;
  }
  std::string_view name = kinds::storage_class_of(claim);
  cause.causes.push_back(name.empty() ? without_class(view, claim) : with_class(view, claim, name));
  return cause;
}

Cause explain_volume(const ClusterView& view, const Object& volume) {
  std::string_view phase = volume.status().at("phase").as_string();
  Cause cause{fmt::format("volume {} is {}", volume.name(), phase.empty() ? "new" : phase), {}, {}};
  const Value& owner = volume.spec().at("claimRef");
  std::string_view message = volume.status().at("message").as_string();
  ObjectPtr claim =
      view.find("persistentvolumeclaims", owner.at("namespace").as_string(), owner.at("name").as_string());
  if (volume.deleting() && claim) {
    cause.causes.push_back({fmt::format("the claim {}/{} is bound to it", claim->ns(), claim->name()),
                            fmt::format("kubectl delete pvc {}{}", claim->name(), namespace_option(*claim)),
                            {}});
  } else if (phase == "Released") {
    cause.causes.push_back(
        {fmt::format("its claim {}/{} is gone and its reclaim policy is {}: the data is kept for a person",
                     owner.at("namespace").as_string(), owner.at("name").as_string(),
                     volume.spec().at("persistentVolumeReclaimPolicy").as_string()),
         fmt::format("kubectl patch pv {} --type=merge -p '{{\"spec\":{{\"claimRef\":null}}}}'   # to use "
                     "it again, with what is on it",
                     volume.name()),
         {}});
  } else if (phase == "Failed") {
    cause.causes.push_back({message.empty() ? "it could not be recycled or deleted" : std::string(message), {}, {}});
  } else if (phase == "Available" && !owner.is_null() && !claim) {
    cause.causes.push_back({fmt::format("it is reserved for the claim {}/{}, which does not exist",
                                        owner.at("namespace").as_string(), owner.at("name").as_string()),
                            {},
                            {}});
  }
  return cause;
}

}  // namespace stead::cli::why
