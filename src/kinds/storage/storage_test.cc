#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/meta/test_documents.h"
#include "kinds/rules.h"
#include "object/time.h"

namespace stead::kinds {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Value claim(std::string_view spec) {
  return load("", "PersistentVolumeClaim", "v1", "metadata: {name: c, namespace: ns}\nspec: " + std::string(spec));
}

Value volume(std::string_view spec) {
  return load("", "PersistentVolume", "v1", "metadata: {name: v}\nspec: " + std::string(spec));
}

constexpr std::string_view kClaim = "{accessModes: [ReadWriteOnce], resources: {requests: {storage: 2Gi}}}";

TEST(ClaimRules, NeedModesAndSize) {
  EXPECT_THAT(problems("", "PersistentVolumeClaim", claim(kClaim)), IsEmpty());
  EXPECT_THAT(problems("", "PersistentVolumeClaim", claim("{}")),
              ElementsAre("spec.accessModes: Required value: at least 1 access mode is required",
                          "spec.resources[storage]: Required value"));
  EXPECT_THAT(problems("", "PersistentVolumeClaim", claim("{accessModes: [Odd], resources: {requests: {storage: 0}}}")),
              ElementsAre("spec.accessModes: Unsupported value: \"Odd\": supported values: \"ReadOnlyMany\", "
                          "\"ReadWriteMany\", \"ReadWriteOnce\", \"ReadWriteOncePod\"",
                          "spec.resources[storage]: Invalid value: \"0\": must be greater than zero"));
}

TEST(ClaimUpdate, OnlyGrowsBoundClaims) {
  Value old = claim(kClaim);
  Value named = old;
  named.set({"spec", "volumeName"}, "v");
  named.set({"spec", "storageClassName"}, "standard");
  EXPECT_THAT(update_problems("", "PersistentVolumeClaim", named, old), IsEmpty());
  Value grown = old;
  grown.set({"spec", "resources", "requests", "storage"}, "3Gi");
  EXPECT_THAT(update_problems("", "PersistentVolumeClaim", grown, old),
              ElementsAre(HasSubstr("spec: Forbidden: spec is immutable after creation except resources.requests and "
                                    "volumeAttributesClassName for bound claims")));
  grown.set({"status", "phase"}, "Bound");
  EXPECT_THAT(update_problems("", "PersistentVolumeClaim", grown, old), IsEmpty());
  old.set({"status", "capacity", "storage"}, "2Gi");
  Value shrunk = old;
  shrunk.set({"status", "phase"}, "Bound");
  shrunk.set({"spec", "resources", "requests", "storage"}, "1Gi");
  EXPECT_THAT(update_problems("", "PersistentVolumeClaim", shrunk, old),
              ElementsAre("spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"));
}

TEST(VolumeRules, NeedOneSource) {
  EXPECT_THAT(problems("", "PersistentVolume",
                       volume("{capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], nfs: {server: s, path: /p}}")),
              IsEmpty());
  EXPECT_THAT(problems("", "PersistentVolume", volume("{capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce]}")),
              ElementsAre("spec: Required value: must specify a volume type"));
  EXPECT_THAT(problems("", "PersistentVolume",
                       volume("{capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], local: {path: /p}}")),
              ElementsAre("spec.nodeAffinity: Required value: Local volume requires node affinity"));
}

TEST(VolumeRules, SecretsOfDriversAreWhole) {
  EXPECT_THAT(problems("", "PersistentVolume",
                       volume("{capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], csi: {driver: d.example, "
                              "controllerExpandSecretRef: {name: s}}}")),
              ElementsAre("spec.csi.volumeHandle: Required value",
                          "spec.csi.controllerExpandSecretRef.namespace: Required value"));
  EXPECT_THAT(problems("", "PersistentVolume",
                       volume("{accessModes: [ReadWriteOnce], volumeAttributesClassName: '', hostPath: {path: //}, "
                              "persistentVolumeReclaimPolicy: Recycle}")),
              ElementsAre("spec.capacity: Required value",
                          "spec.capacity: Unsupported value: {}: supported values: \"storage\"",
                          "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of "
                          "'/'",
                          "spec.volumeAttributesClassName: Required value: an empty string is disallowed",
                          "spec.csi: Required value: has to be specified when using volumeAttributesClassName"));
}

TEST(VolumeUpdate, KeepsTheSourceButForALaterSecret) {
  Value old = volume(
      "{capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], csi: {driver: d.example, volumeHandle: h}, "
      "nodeAffinity: "
      "{required: {nodeSelectorTerms: [{matchExpressions: [{key: failure-domain.beta.kubernetes.io/zone, operator: In, "
      "values: [z]}]}]}}}");
  Value now = old;
  now.set({"spec", "csi", "controllerExpandSecretRef"}, Value::object({{"name", "s"}, {"namespace", "ns"}}));
  now["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
      .mutable_items()[0]["matchExpressions"]
      .mutable_items()[0]
      .set("key", "topology.kubernetes.io/zone");
  EXPECT_THAT(update_problems("", "PersistentVolume", now, old), IsEmpty());
  now.set({"spec", "csi", "volumeHandle"}, "other");
  now.set({"spec", "volumeMode"}, "Block");
  now["spec"].erase("nodeAffinity");
  EXPECT_THAT(update_problems("", "PersistentVolume", now, old),
              ElementsAre(HasSubstr("spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable"),
                          "volumeMode: Invalid value: \"Block\": field is immutable",
                          HasSubstr("nodeAffinity: Invalid value: null: field is immutable, except for updating from "
                                    "beta label to GA")));
}

TEST(ClaimUpdate, TheSameManifestMayBeSentAgain) {
  constexpr std::string_view kCopy =
      "{accessModes: [ReadWriteOnce], resources: {requests: {storage: 2Gi}}, dataSource: {kind: PersistentVolumeClaim, "
      "name: other}}";
  Value old = prepared("", "PersistentVolumeClaim", claim(kCopy));
  Value again = claim(kCopy);
  find_rules("", "PersistentVolumeClaim").rules.prepare_update(again, old);
  EXPECT_THAT(update_problems("", "PersistentVolumeClaim", again, old), IsEmpty());
  again.set({"metadata", "annotations", "volume.beta.kubernetes.io/storage-class"}, "x");
  EXPECT_THAT(
      update_problems("", "PersistentVolumeClaim", again, old),
      ElementsAre("metadata.annotations.volume.beta.kubernetes.io/storage-class: Invalid value: \"x\": field is "
                  "immutable"));
}

TEST(ClaimStatus, ResourcesAreStorage) {
  Value old = claim(kClaim);
  Value now = old;
  now.set({"status", "allocatedResourceStatuses"}, Value::object({{"cpu", "Odd"}}));
  EXPECT_THAT(status_problems("", "PersistentVolumeClaim", now, old),
              ElementsAre("status.allocatedResourceStatus: Unsupported value: \"cpu\": supported values: \"storage\"",
                          HasSubstr("status.allocatedResourceStatus: Unsupported value: \"cpu\": supported values: "
                                    "\"ControllerResizeInProgress\"")));
}

TEST(StorageClassRules, AreForLife) {
  Value old = load("storage.k8s.io", "StorageClass", "v1", "{metadata: {name: c}, provisioner: a/b}");
  EXPECT_THAT(problems("storage.k8s.io", "StorageClass", old), IsEmpty());
  Value other = old;
  other.set("provisioner", "b/c");
  other.set("reclaimPolicy", "Retain");
  EXPECT_THAT(update_problems("storage.k8s.io", "StorageClass", other, old),
              ElementsAre("provisioner: Forbidden: updates to provisioner are forbidden.",
                          "reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden."));
}

TEST(StorageRows, ShowStateAndClass) {
  Value bound = claim(
      "{accessModes: [ReadWriteOnce], volumeName: v, storageClassName: standard, resources: {requests: {storage: "
      "1Gi}}}");
  bound.set("status", Value::object({{"phase", "Bound"},
                                     {"accessModes", Value::array({"ReadWriteOnce"})},
                                     {"capacity", Value::object({{"storage", "1Gi"}})}}));
  EXPECT_THAT(row("", "PersistentVolumeClaim", bound, WallTime{}),
              ElementsAre("c", "Bound", "v", "1Gi", "RWO", "standard", "<unset>", "<unknown>", "Filesystem"));
  Value made = volume(
      "{capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce, ReadOnlyMany], storageClassName: s, claimRef: "
      "{namespace: ns, name: c}, hostPath: {path: /p}}");
  EXPECT_THAT(
      row("", "PersistentVolume", made, WallTime{}),
      ElementsAre("v", "1Gi", "RWO,ROX", "Retain", "Pending", "ns/c", "s", "<unset>", "", "<unknown>", "Filesystem"));
  Value chosen = load("storage.k8s.io", "StorageClass", "v1",
                      "{metadata: {name: c, annotations: {storageclass.kubernetes.io/is-default-class: 'true'}}, "
                      "provisioner: a/b}");
  EXPECT_THAT(row("storage.k8s.io", "StorageClass", chosen, WallTime{}),
              ElementsAre("c (default)", "a/b", "Delete", "Immediate", "false", "<unknown>"));
}

}  // namespace
}  // namespace stead::kinds
